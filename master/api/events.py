"""What happens, as it happens: a stream of events for programs and pages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from common import problems
from master.api.answers import caller, farm, query
from master.api.described import LAST_EVENT_ID, describe
from master.api.documents import progress_document
from master.api.queries import EventsQuery
from master.api.streams import last_event_id, may_still, stream_response
from master.live import MEDIA_TYPE, Filter, Report
from master.service import live

blueprint = Blueprint("events", __name__)


@blueprint.get("/events")
@describe(
    media_type=MEDIA_TYPE, query=EventsQuery, headers=(LAST_EVENT_ID,), problems=(problems.UNAVAILABLE,)
)
def stream() -> Response:
    """All that happens from now on, as server-sent events; [events.md](events.md) says what they are.

    After a break a reader goes on where it was: with `Last-Event-ID`, as browsers send it, or `after`.
    Submitters hear of their own jobs only.
    """
    asked, who = query(), caller()
    after = last_event_id(asked["after"])
    clock = farm().clock

    def document(report: Report) -> dict[str, Any]:
        how_far = progress_document(report.by(clock().mono))
        return {"job_id": report.job_id, "node_id": report.node_id, "progress": how_far}

    wanted = Filter(who.role, who.owner, asked["job_id"], asked["node_id"], asked["event"])
    return stream_response(
        lambda: live.events(farm(), who, after, wanted, may_still(), document, follow=asked["follow"])
    )
