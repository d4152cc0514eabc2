"""When to try a server again, and when to give up. Pure: time is an argument, in seconds."""

from __future__ import annotations

FIRST_SECONDS = 20.0
"""In which a stream must begin."""
LATER_SECONDS = 60.0
"""That a server may be away in mid-stream."""
_SHORTEST, _LONGEST = 0.25, 8.0
"""Seconds between two attempts; they double."""


class Patience:
    """Counts the time since pictures last arrived."""

    def __init__(self, now: float, first: float = FIRST_SECONDS, later: float = LATER_SECONDS) -> None:
        """The first attempt may be made at once."""
        self._first, self._later = first, later
        self._since = now
        self._next = now
        self._pause = _SHORTEST
        self._has_arrived = False

    def may_try(self, now: float) -> bool:
        """Whether it is time for another attempt."""
        return now >= self._next

    def failed(self, now: float) -> None:
        """An attempt failed, or a connection broke."""
        self._next = now + self._pause
        self._pause = min(_LONGEST, 2 * self._pause)

    def arrived(self, now: float) -> None:
        """The server takes pictures."""
        self._has_arrived = True
        self._since = now
        self._pause = _SHORTEST

    def stands(self, now: float) -> None:
        """Nothing may be sent: that is not the server's doing."""
        self._since = self._next = now

    def is_over(self, now: float) -> bool:
        """Whether the server has been away for too long."""
        return now - self._since > self.seconds

    @property
    def seconds(self) -> float:
        """How long it may be away."""
        return self._later if self._has_arrived else self._first
