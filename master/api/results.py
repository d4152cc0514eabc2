"""Results of all jobs."""

from __future__ import annotations

from flask import Blueprint, Response

from master.api.answers import farm, json_response, limit, query
from master.api.documents import cursor, parse_cursor, result_document
from master.service import jobs as service

blueprint = Blueprint("results", __name__)


@blueprint.get("/results")
def page() -> Response:
    """Results of completed and failed jobs, newest first; a page of them."""
    arguments = query({"limit", "after"})
    size = limit(arguments)
    jobs, count = service.results_page(farm(), parse_cursor(arguments.get("after")), size)
    return json_response(
        {
            "results": [result_document(job) for job in jobs],
            "count": count,
            "next": cursor(jobs[-1]) if len(jobs) == size else None,
        }
    )
