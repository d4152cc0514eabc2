"""Results of all jobs."""

from __future__ import annotations

from flask import Blueprint

from common import problems
from common.documents import ResultsSchema
from master.api.answers import Answer, caller, farm, json_answer, query
from master.api.described import describe
from master.api.documents import NO_SUCH_PAGE, archive_cursor, cursor, result_document
from master.api.queries import ArchiveQuery, ResultsQuery
from master.service import jobs as service
from master.service import retention
from master.store.archive import PlaceError
from master.store.blocks import DamagedError

blueprint = Blueprint("results", __name__)


@blueprint.get("/results")
@describe(ResultsSchema, query=ResultsQuery, slow=True)
def page() -> Answer:
    """Results of completed and failed jobs, newest first; a page of them."""
    asked = query()
    jobs, count = service.results_page(farm(), caller(), asked["after"], asked["limit"], whole=asked["whole"])
    return json_answer(
        {
            "results": [result_document(job) for job in jobs],
            "count": count,
            "next": cursor(jobs[-1]) if len(jobs) == asked["limit"] else None,
        }
    )


@blueprint.get("/results/archive")
@describe(ResultsSchema, query=ArchiveQuery, slow=True)
def archived() -> Answer:
    """A page of results of jobs that left the memory: those completed or failed, newest first.

    With `job_id`: only that job's, however it ended; such a page may be empty and have a `next` all the
    same, because it looks through a bounded part of the archive. `count` is always null.
    """
    asked = query()
    try:
        entries, rest = retention.page(
            farm(), caller(), asked["after"], asked["limit"], asked["job_id"], whole=asked["whole"]
        )
    except PlaceError as error:
        raise problems.invalid_field("after", NO_SUCH_PAGE) from error
    except DamagedError as error:
        raise problems.INTERNAL(f"{error}.") from error
    return json_answer(
        {
            "results": [entry["result"] for entry in entries],
            "count": None,  # to count them would be to read them all
            "next": None if rest is None else archive_cursor(rest),
        }
    )
