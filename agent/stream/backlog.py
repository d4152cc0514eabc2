"""What is encoded and not yet sent: bounded, and given up in whole groups of pictures. Pure.

The encoder never waits for the network. Where that is too slow, or away, pictures are left out up to the next
that a decoder can begin with.
"""

from __future__ import annotations

from collections import deque

from agent.stream.flv import Tag

MOST_BYTES = 16 * 1024 * 1024
MOST_MILLISECONDS = 5_000
"""Of stream: what a viewer would be behind at most."""


class Backlog:
    """Takes tags from the encoder, gives them to the connection, and forgets what cannot be sent in time."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_milliseconds: int = MOST_MILLISECONDS) -> None:
        self._most_bytes, self._most_milliseconds = most_bytes, most_milliseconds
        self._headers: dict[int, Tag] = {}
        self._tags: deque[Tag] = deque()
        self._bytes = 0
        self._connected = False
        self._wants_key = True

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send."""
        return not self._tags

    @property
    def headers(self) -> list[Tag]:
        """What a new connection must be sent first."""
        return [tag.at(0) for tag in self._headers.values()]

    def put(self, tag: Tag) -> None:
        """The encoder made it."""
        if tag.is_header:
            self._headers[tag.kind] = tag
            return
        if tag.is_key and not self._connected:
            self._give_up(len(self._tags))  # a new connection begins with the newest
        if self._wants_key and not tag.is_key:
            return
        self._wants_key = False
        self._tags.append(tag)
        self._bytes += len(tag.payload)
        if self._is_too_much():
            self._skip_to_key()

    def take(self) -> Tag | None:
        """The next to send; None: there is nothing."""
        if not self._tags or not self._connected:
            return None
        tag = self._tags.popleft()
        self._bytes -= len(tag.payload)
        return tag

    def connected(self) -> None:
        """A connection begins, with `headers` and then a picture that a decoder can begin with."""
        self._connected = True
        if self._tags and not self._tags[0].is_key:
            self._skip_to_key()

    def disconnected(self) -> None:
        """It has broken; what was taken is not given again."""
        self._connected = False
        if self._tags and not self._tags[0].is_key:
            self._skip_to_key()
        if not self._tags:
            self._wants_key = True

    def _is_too_much(self) -> bool:
        waited = self._tags[-1].timestamp - self._tags[0].timestamp
        return self._bytes > self._most_bytes or waited > self._most_milliseconds

    def _skip_to_key(self) -> None:
        """Give up what lies before the next picture to begin with; all, if there is none."""
        keys = (place for place, tag in enumerate(self._tags) if place and tag.is_key)
        self._give_up(next(keys, len(self._tags)))
        self._wants_key = not self._tags

    def _give_up(self, count: int) -> None:
        for _ in range(count):
            self._bytes -= len(self._tags.popleft().payload)
