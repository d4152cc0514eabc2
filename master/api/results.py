"""Results of all jobs."""

from __future__ import annotations

from flask import Blueprint, Response

from common import problems
from master.api.answers import caller, farm, invalid, json_response, limit, query
from master.api.documents import (
    archive_cursor,
    cursor,
    no_such_page,
    parse_archive_cursor,
    parse_cursor,
    result_document,
)
from master.service import jobs as service
from master.service import retention
from master.store.archive import PlaceError
from master.store.blocks import DamagedError

blueprint = Blueprint("results", __name__)


@blueprint.get("/results")
def page() -> Response:
    """Results of completed and failed jobs, newest first; a page of them."""
    arguments = query({"limit", "after"})
    size = limit(arguments)
    jobs, count = service.results_page(farm(), caller(), parse_cursor(arguments.get("after")), size)
    return json_response(
        {
            "results": [result_document(job) for job in jobs],
            "count": count,
            "next": cursor(jobs[-1]) if len(jobs) == size else None,
        }
    )


@blueprint.get("/results/archive")
def archived() -> Response:
    """Results of jobs that left the memory; a page of them, or the one with `job_id`."""
    arguments = query({"limit", "after", "job_id"})
    if arguments.get("job_id") == "":
        raise invalid([{"field": "job_id", "message": "Must not be empty."}])
    try:
        entries, rest = retention.page(
            farm(),
            caller(),
            parse_archive_cursor(arguments.get("after")),
            limit(arguments),
            arguments.get("job_id"),
        )
    except PlaceError as error:
        raise no_such_page() from error
    except DamagedError as error:
        raise problems.INTERNAL(f"{error}.") from error
    return json_response(
        {
            "results": [entry["result"] for entry in entries],
            "count": None,  # to count them would be to read them all
            "next": None if rest is None else archive_cursor(rest),
        }
    )
