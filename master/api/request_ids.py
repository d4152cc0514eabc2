"""The id of each request, on its answer and in the log; and the line that the log has of it."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack

from flask import Flask, Response, g, request

from common.logs import about
from common.model import Role
from common.request_ids import REQUEST_ID_HEADER, new_request_id, well_formed
from master.service import Caller
from master.worker.request import REQUEST_ID

log = logging.getLogger(__name__)

_PEOPLE = frozenset(Role) - {Role.NODE, Role.JOIN, Role.ANYONE}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def follow_requests(app: Flask) -> None:
    """Before anything else: give each request of `app` its id. After all else: log how it ended."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def level_of(method: str, status: int, role: Role) -> int:
    """How much a request matters: an idle farm is quiet, and what people change is seen.

    Agents call all the time; what they bring about is in the audit. Mistakes of the master are logged
    where they are made.
    """
    changes = method not in _READING and role in _PEOPLE
    return logging.INFO if changes and status < 500 else logging.DEBUG


def _begin() -> None:
    said = request.environ.get(REQUEST_ID) or well_formed(request.headers.get(REQUEST_ID_HEADER))
    g.request_id = said or new_request_id()
    g.begun = time.monotonic()
    g.about = ExitStack()
    g.about.enter_context(about(request_id=g.request_id))


def _end(response: Response) -> Response:
    response.headers[REQUEST_ID_HEADER] = g.request_id
    caller: Caller = g.get("caller") or Caller(Role.ANYONE)
    level = level_of(request.method, response.status_code, caller.role)
    if log.isEnabledFor(level):
        _log(level, response, caller)
    return response


def _log(level: int, response: Response, caller: Caller) -> None:
    """Without what a caller wrote into the address: it may be anything, and a secret too."""
    seconds = time.monotonic() - g.begun
    arguments = request.view_args or {}
    log.log(
        level,
        "%s %s by %s: %d in %.0f ms",
        request.method,
        request.url_rule,
        caller.actor.name,
        response.status_code,
        seconds * 1000,
        extra={
            "event": "request",
            "method": request.method,
            "route": str(request.url_rule),
            "status": response.status_code,
            "caller": caller.actor.name,
            "address": request.remote_addr,
            "duration_seconds": round(seconds, 6),
            "job_id": g.get("job_id") or _known(arguments.get("job_id"), response),
            "node_id": caller.node_id or _known(arguments.get("node_id"), response),
        },
    )


def _known(text: str | None, response: Response) -> str | None:
    """An id in the address, if the master knew it: else it is only what somebody wrote there."""
    return text if response.status_code < 400 else None


def _forget(_: BaseException | None) -> None:
    g.about.close()
