"""Refused callers are logged, a few lines for each address: they change nothing, so they are no events."""

from __future__ import annotations

import logging
from collections import OrderedDict

from common.durations import format_duration

log = logging.getLogger(__name__)

WINDOW = 60.0
"""Seconds in which an address gets its lines."""
LINES = 5
"""Lines that one address gets in that time; how many more there were is said with the next."""
ADDRESSES = 1000
"""Addresses that are remembered: the one that was refused longest ago is forgotten first."""
ALL_LINES = 200
"""Lines that all addresses get together in that time: IPv6 gives anybody as many as he likes."""


class Refusals:
    """What was refused lately. Threads may call at once: then a line more or less is logged."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._all = _Window(0.0)

    def note(self, what: str, address: str, why: str, mono: float) -> None:
        """Log that `what` was refused, or count it. `mono`: the monotonic clock, in seconds."""
        window = self._windows.pop(address, None) or _Window(mono)
        self._windows[address] = window
        if len(self._windows) > ADDRESSES:
            self._windows.popitem(last=False)
        window.renew(mono)
        self._all.renew(mono)
        if window.lines >= LINES or self._all.lines >= ALL_LINES:
            window.silent += 1
            return
        window.lines += 1
        self._all.lines += 1
        more = f" ({window.silent} more before, not logged)" if window.silent else ""
        window.silent = 0
        end = f"; further ones in {format_duration(WINDOW)} are counted only" if window.lines == LINES else ""
        log.warning("refused %s from %s: %s%s%s", what, address, why, more, end)


class _Window:
    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.lines = 0
        self.silent = 0

    def renew(self, mono: float) -> None:
        if mono - self.begun >= WINDOW:
            self.begun, self.lines = mono, 0
