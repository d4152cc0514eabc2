"""Times as they are on the wire: UTC to the second, `2025-12-29T19:45:00Z`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

TIMESTAMP = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", re.ASCII)


@lru_cache(maxsize=1024)
def timestamp(moment: datetime | None) -> str | None:
    """As the guide writes times; None stays None."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> datetime:
    """The moment; ValueError, with an example, if the text is none."""
    try:
        if TIMESTAMP.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass  # such as February 30th
    raise ValueError("Must be a time in UTC, such as 2025-12-29T19:45:00Z.")
