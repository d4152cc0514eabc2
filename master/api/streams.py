"""How streams are answered: who may go on reading, and from where."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request

from common import problems
from common.problems import Problem
from master.api.described import LAST_EVENT_ID
from master.api.exchange import current
from master.api.queries import MAX_PLACE
from master.auth import Gate
from master.live import MEDIA_TYPE
from master.worker.stream import Stream


def stream_response(begin: Callable[[], Stream]) -> Response:
    """The stream that `begin` answers; nothing is begun for a HEAD."""
    # Passed through as it is, so that the worker sees what it is. A proxy is not to hold it back.
    return Response(
        [] if request.method == "HEAD" else begin(),
        content_type=f"{MEDIA_TYPE}; charset=utf-8",
        headers={"X-Accel-Buffering": "no"},
        direct_passthrough=True,
    )


def last_event_id(after: int | None) -> int | None:
    """The place to go on from: the header's, which a browser sends after a break, before the query's."""
    text = request.headers.get(LAST_EVENT_ID.name)
    if not text:
        return after
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PLACE))):
        raise problems.invalid_field(LAST_EVENT_ID.name, "Must be the id of an event of this stream.")
    return int(text)


def may_still() -> Callable[[], bool]:
    """Whether the request would still be let in: a credential may end while its stream is open."""
    gate: Gate = current().extensions["gate"]
    environ, endpoint = current().environ, current().endpoint or ""

    def holds() -> bool:
        try:
            gate.admit(gate.identify(environ, endpoint), endpoint)
        except Problem:
            return False
        return True

    return holds
