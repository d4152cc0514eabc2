"""How values are written for people. Pure; unknown is a dash, and never 0."""

from __future__ import annotations

from datetime import datetime

from markupsafe import Markup

from common.timestamps import parse_timestamp

UNKNOWN = "–"


def number(value: float | None, digits: int = 0) -> str:
    """A number with commas between thousands."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def seconds(value: float | None) -> str:
    """Seconds as the two largest units that say something: `3 d 4 h`, `2 min 5 s`, `0.4 s`."""
    if value is None:
        return UNKNOWN
    if value < 10:
        return f"{value:.1f} s"
    left = round(value)
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(part for part in parts[:2] if part)


def age(text: str | None, now: str) -> str:
    """How long before `now` a time was, both as the wire has them."""
    if text is None:
        return UNKNOWN
    passed = (parse_timestamp(now) - parse_timestamp(text)).total_seconds()
    return "just now" if passed < 5 else f"{seconds(max(10.0, passed))} ago"


def size(value: float | None) -> str:
    """Bytes in the largest decimal unit: `5.2 MB`."""
    if value is None:
        return UNKNOWN
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def moment(text: str | None) -> str:
    """A time of the wire as an element that the page's script turns into the reader's own time."""
    if text is None:
        return UNKNOWN
    at: datetime = parse_timestamp(text)
    return Markup('<time datetime="{}">{} UTC</time>').format(text, at.strftime("%Y-%m-%d %H:%M:%S"))
