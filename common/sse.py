"""Pure: server-sent events read from bytes, as they come (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT = 4 * 1024 * 1024
"""Bytes of one event: who sends more is no master."""
_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    name: str
    """`message` if it has none of its own."""
    data: str
    id: str
    """The last id that was said, with this event or before it; empty if none was."""


class Parser:
    """Takes the bytes of one connection, cut anywhere, and gives the events in them."""

    def __init__(self, last_id: str = "") -> None:
        """`last_id`: of the connection before."""
        self.last_id = last_id
        """Behind which to go on after a break. An event that did not come whole has not changed it."""
        self.retry: float | None = None
        """Seconds after which to connect again, if the server said so."""
        self._rest = b""
        self._begun = False
        self._id = last_id
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that are whole with `data`. ValueError if one is too large."""
        self._rest += data
        if not self._begun:
            if len(self._rest) < len(_BOM) and _BOM.startswith(self._rest):
                return
            self._begun = True
            self._rest = self._rest.removeprefix(_BOM)
        while (line := self._next_line()) is not None:
            event = self._take(line.decode(errors="replace"))
            if event is not None:
                yield event
        if self._size + len(self._rest) > MAX_EVENT:
            raise ValueError(f"an event of more than {MAX_EVENT} bytes came")

    def _next_line(self) -> bytes | None:
        end = _LINE_END.search(self._rest)
        # A CR at the very end may be the first half of a CR LF.
        if end is None or (end[0] == b"\r" and end.end() == len(self._rest)):
            return None
        line, self._rest = self._rest[: end.start()], self._rest[end.end() :]
        self._size += len(line)
        return line

    def _take(self, line: str) -> Event | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value) / 1000
        return None

    def _dispatch(self) -> Event | None:
        name, data = self._name or "message", self._data
        self.last_id = self._id
        self._name, self._data, self._size = "", [], 0
        return Event(name, "\n".join(data), self._id) if data else None
