"""The audit: who did what, when."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response

from common import problems
from common.timestamps import parse_timestamp
from master.api.answers import farm, invalid, json_response, limit, query
from master.api.documents import no_such_page
from master.lifecycle.audit import NAMES
from master.service import audit as service
from master.store.journal import JournalError
from master.store.trail import Wanted

MAX_TEXT = 255
"""Characters that a name or an id in the query may have."""

blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
def page() -> Response:
    """What happened, newest first; a page of it."""
    arguments = query({"limit", "after", "by", "event", "job_id", "node_id", "since", "until"})
    wanted = Wanted(
        by=_text(arguments, "by"),
        event=_event(arguments),
        job_id=_text(arguments, "job_id"),
        node_id=_text(arguments, "node_id"),
        since=_time(arguments, "since"),
        until=_time(arguments, "until"),
    )
    try:
        found = service.page(farm(), _before(arguments.get("after")), limit(arguments), wanted)
    except JournalError as error:
        raise problems.INTERNAL(f"{error}.") from error
    return json_response({"entries": found.entries, "next": _cursor(found.next), "damaged": found.damaged})


def _text(arguments: dict[str, str], name: str) -> str | None:
    text = arguments.get(name)
    if text is not None and not 0 < len(text) <= MAX_TEXT:
        raise invalid([{"field": name, "message": f"Must be 1 to {MAX_TEXT} characters."}])
    return text


def _event(arguments: dict[str, str]) -> str | None:
    event = _text(arguments, "event")
    if event is not None and event not in NAMES.values():
        raise invalid([{"field": "event", "message": f"Must be one of: {', '.join(NAMES.values())}."}])
    return event


def _time(arguments: dict[str, str], name: str) -> datetime | None:
    try:
        return parse_timestamp(arguments[name]) if name in arguments else None
    except ValueError as error:
        raise invalid([{"field": name, "message": str(error)}]) from error


def _cursor(number: int | None) -> str | None:
    return None if number is None else str(number)


def _before(cursor: str | None) -> int | None:
    """The number that a cursor names; `invalid` if it is none."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 16 and int(cursor) > 0):
        raise no_such_page()
    return int(cursor)
