"""How the doctor judges what it finds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from common.checkup import Finding, State
from common.durations import format_duration
from common.version import PROTOCOL, VERSION

_CLOCKS = (2.0, 60.0)
"""Seconds between the clocks of two machines that are worth a word, and that break things: tokens and
certificates are valid by the clock."""
_EXPIRY = 14 * 86400.0
"""Seconds before its end in which a master has renewed its certificate, if it can."""
_DISK = 100_000_000
"""Bytes that what `ffrtmp` keeps here needs at most."""
OLDEST_PYTHON = (3, 11)


def python(version: Sequence[int]) -> Finding:
    """Of the interpreter."""
    text = ".".join(map(str, version[:3]))
    if tuple(version[:2]) < OLDEST_PYTHON:
        return Finding("python", State.BAD, f"Python {text} is too old", "install Python 3.11 or newer")
    return Finding("python", State.GOOD, f"Python {text}, ffrtmp {VERSION}")


def disk(place: str, free: int | None) -> Finding:
    """Of the file system where ffrtmp keeps whom it trusts; `free` in bytes, None if it cannot be told."""
    if free is None:
        return Finding(
            "disk", State.WARNING, f"the free space of {place} is not known", f"look at: df {place}"
        )
    megabytes = free // 1_000_000
    if free < _DISK:
        todo = "make some room: ffrtmp keeps there whom it trusts, and what watch has submitted"
        return Finding("disk", State.WARNING, f"{megabytes} MB are free in {place}", todo)
    return Finding("disk", State.GOOD, f"{megabytes} MB are free in {place}")


def clocks(seconds: float | None) -> Finding:
    """Of the difference of the clocks: this machine's ahead of the master's, in seconds."""
    if seconds is None:
        return Finding("clock", State.WARNING, "the master does not tell its time", "look at both clocks")
    apart = abs(seconds)
    if apart < _CLOCKS[0]:
        return Finding("clock", State.GOOD, "this clock and the master's agree")
    side = "ahead of" if seconds > 0 else "behind"
    said = f"this clock is {format_duration(round(apart))} {side} the master's"
    state = State.BAD if apart >= _CLOCKS[1] else State.WARNING
    return Finding("clock", state, said, "set the wrong one, and keep it by NTP: timedatectl set-ntp true")


def expiry(end: datetime, now: datetime) -> Finding:
    """Of the time that the master's certificate is valid still."""
    left = (end - now).total_seconds()
    day = end.date().isoformat()
    todo = "restart the master: it renews its certificate; one from --tls-cert has to be renewed by you"
    if left <= 0:
        return Finding("certificate", State.BAD, f"it has expired on {day}", f"check both clocks; {todo}")
    if left < _EXPIRY:
        return Finding("certificate", State.WARNING, f"it ends on {day}, and should be renewed by now", todo)
    return Finding("certificate", State.GOOD, f"it is valid until {day}")


def versions(version: str, protocol: int) -> Finding:
    """Of the master's version beside ours."""
    said = f"the master has version {version}, protocol {protocol}; ffrtmp has {VERSION}, protocol {PROTOCOL}"
    if abs(protocol - PROTOCOL) > 1:
        todo = "bring both to one version: neighbours work together, and these are none"
        return Finding("version", State.BAD, said, todo)
    if version != VERSION or protocol != PROTOCOL:
        return Finding("version", State.WARNING, said, "upgrade the older one when it suits you")
    return Finding("version", State.GOOD, f"both have version {VERSION}, protocol {PROTOCOL}")


def skipped(names: Sequence[str], why: str) -> list[Finding]:
    """Checks that could not be done."""
    return [Finding(name, State.SKIPPED, why) for name in names]
