"""How often somebody may ask: the generic cell rate algorithm (ITU-T I.371), pure.

Kept for each caller is the one moment at which all that it asked for would have been served at
the steady rate. It may be ahead of now by as much as a burst takes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict


class Throttle:
    """A steady rate for each caller, with bursts."""

    def __init__(self, rate: float, burst: float, most_callers: int = 10_000) -> None:
        """`rate`: per second, 0: any; `burst`: how many may come at once. It remembers `most_callers`."""
        self._rate, self._burst = rate, burst
        self._most = most_callers
        self._served_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str, now: float, amount: int = 1) -> float:
        """0 if `caller` may ask for `amount` more at `now` (monotonic seconds); else the seconds to wait.

        Who owes nothing may ask for more than a burst at once, and waits the longer afterwards.
        """
        if self._rate <= 0:
            return 0.0
        with self._lock:
            served_at = max(self._served_at.pop(caller, now), now)
            wait = max(0.0, served_at - now - (self._burst - 1) / self._rate)
            if wait == 0:
                served_at += amount / self._rate
            self._served_at[caller] = served_at
            if len(self._served_at) > self._most:
                self._served_at.popitem(last=False)
        return wait
