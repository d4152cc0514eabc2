"""Pure: server-sent events as text (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import json
from typing import Any

MEDIA_TYPE = "text/event-stream"
RETRY = 2000
"""Milliseconds after which a browser connects again."""
ALIVE = b":\n\n"
"""A comment: the other side ignores it, and knows that the line is not dead."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def message(event: str, data: Any, id_: int | None = None) -> bytes:
    """One event. JSON has no line breaks, so its data is one line."""
    begin = "" if id_ is None else f"id: {id_}\n"
    return f"{begin}event: {event}\ndata: {_encode(data)}\n\n".encode()


def place(id_: int) -> bytes:
    """From where to go on after a break, though no event came: readers keep the id and hear of nothing."""
    return f"id: {id_}\n\n".encode()


def greeting(id_: int) -> bytes:
    """What a stream begins with."""
    return f"retry: {RETRY}\n".encode() + place(id_)


def gap(after: int, up_to: int) -> bytes:
    """Not all can be told that comes after one id and up to another one."""
    return message("gap", {"after": after, "up_to": up_to}, up_to)
