"""When a delivery that failed is tried again, and when a receiver is given up. Pure.

The pauses double from seconds to hours, which makes about three days in all, as Standard Webhooks advises.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

FIRST_PAUSE = 5.0
"""Seconds after the first failure."""
LONGEST_PAUSE = 6 * 3600.0
"""Seconds between two tries at most, unless the receiver asks for more."""
LONGEST_WISH = 86400.0
"""Seconds that a receiver may ask for (`Retry-After`) at most."""
GIVE_UP_AFTER = 3 * 86400.0
"""Seconds without a delivery that was taken."""
LEAST_TRIES = 10
"""Failures in a row before it is given up: a master that was off for days has tried nothing."""


def pause(failures: int, chance: float, asked: float | None) -> float:
    """Seconds before the next try, after so many failures in a row.

    `chance`, from 0 to 1, makes it up to half as long, so that not all receivers of one machine are tried
    at once. `asked`: what the receiver asks for; it is never tried sooner.
    """
    doubled = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 30), LONGEST_PAUSE)
    return max(doubled * (1 - chance / 2), min(asked or 0.0, LONGEST_WISH))


def is_given_up(failures: int, failing: float) -> bool:
    """Whether a receiver that failed so often in a row, and for so many seconds, is told nothing more."""
    return failures >= LEAST_TRIES and failing >= GIVE_UP_AFTER


def wait(next_try: float, now: float) -> float:
    """Seconds to wait for a try that was set for `next_try` (since 1970): few, if the clock was set back."""
    left = next_try - now
    return 0.0 if left > LONGEST_WISH else max(0.0, left)


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` asks for (RFC 9110, section 10.2.3); None if it asks for nothing."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - now).total_seconds())
