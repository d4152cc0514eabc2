"""How far a job is that waits for its parts. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from common.estimate import Part, left_of_parts
from common.model import Job, JobStatus, Progress, Stage

_RUNG = re.compile(r"([0-9]{2,5})p", re.ASCII)
_JOIN = 1.0
"""Seconds: what the parts have made is joined."""


def progress_of(parts: Sequence[Job], how_far: Callable[[str], Progress | None], now: datetime) -> Progress:
    """The share of the work of its `parts` that is done, and when all of them are.

    `how_far` a running attempt is, by its lease. Parts are weighed by their pictures' size, where they
    have different ones. When probes are done is not when their parent is: of that nothing is said.
    """
    seen = [(part, how_far(part.lease.lease_id) if part.lease else None) for part in parts]
    done = sum(_share(part, progress) for part, progress in seen)
    percent = round(100 * done / len(parts), 2) if parts else None
    if any(part.stage is Stage.PROBE for part in parts):
        return Progress(percent=percent)
    left = left_of_parts([_part(part, progress, now) for part, progress in seen])
    return Progress(percent=percent, seconds_left=None if left is None else round(left + _JOIN, 1))


def _share(part: Job, progress: Progress | None) -> float:
    if part.status is JobStatus.COMPLETED:
        return 1.0
    return ((progress.percent or 0.0) if progress is not None else 0.0) / 100


def _part(part: Job, progress: Progress | None, now: datetime) -> Part:
    attempt = part.attempt
    if attempt is None or part.status not in (JobStatus.COMPLETED, JobStatus.RUNNING):
        return Part(_weight(part), None)
    if part.status is JobStatus.COMPLETED:
        return Part(_weight(part), _seconds(attempt.started_at, part.finished_at or now), 0.0)
    left = None if progress is None else progress.seconds_left
    return Part(_weight(part), _seconds(attempt.started_at, now), left)


def _seconds(begun: datetime, ended: datetime) -> float:
    return max(0.0, (ended - begun).total_seconds())


def _weight(part: Job) -> float:
    found = _RUNG.fullmatch(part.part or "")
    return 1.0 if found is None else float(found[1]) ** 2
