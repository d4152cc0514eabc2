"""When to look at the certificates: pure."""

from __future__ import annotations

from common.model import Now

CLOCK_CHECK = 10.0
"""Seconds between two questions whether it is time."""
_USUAL = 3600.0  # seconds between two looks at how long the certificates are still good
_SET = 60.0  # seconds by which somebody has set the wall clock, if it leaves the other one behind


class Renewal:
    """Now and then, and when the clock that judges certificates was set."""

    def __init__(self, now: Now) -> None:
        """They were looked at just now."""
        self._looked = now

    def due(self, now: Now) -> bool:
        """Whether to look, which is then taken as done."""
        passed = now.mono - self._looked.mono
        was_set = abs((now.wall - self._looked.wall).total_seconds() - passed) > _SET
        if passed < _USUAL and not was_set:
            return False
        self._looked = now
        return True
