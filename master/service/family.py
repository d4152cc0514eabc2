"""How far a job is that waits for its parts. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from common.estimate import Part, left_of_parts
from common.model import Job, JobStatus, Progress, Stage
from master.weights import frames_of, weigh

_RUNG = re.compile(r"([0-9]{2,5})p", re.ASCII)
_JOIN = 1.0
"""Seconds: what the parts have made is joined."""
_JOIN_SHARE = 0.02
"""What the join of a file's chunks takes, beside encoding its picture: no more than a first guess."""


def progress_of(parts: Sequence[Job], how_far: Callable[[str], Progress | None], now: datetime) -> Progress:
    """The share of the work of its `parts` that is done, and when all of them are.

    `how_far` a running attempt is, by its lease. Parts are weighed by their pictures' size, where they
    have different ones; one with a twin is as far as the one of both that is further. When probes are done is
    not when their parent is: of that nothing is said.
    """
    seen = _further([(part, how_far(part.lease.lease_id) if part.lease else None) for part in parts])
    if any(part.window is not None for part in parts):
        return _of_a_split(seen, now)
    done = sum(_share(part, progress) for part, progress in seen)
    percent = round(100 * done / len(parts), 2) if parts else None
    if any(part.stage is Stage.PROBE for part in parts):
        return Progress(percent=percent)
    left = left_of_parts([_part(part, progress, now) for part, progress in seen])
    return Progress(percent=percent, seconds_left=None if left is None else round(left + _JOIN, 1))


def _of_a_split(seen: Sequence[tuple[Job, Progress | None]], now: datetime) -> Progress:
    """Of a file that is encoded in chunks: these are weighed by their work, and the join is yet to come.

    Its frames are those that are done: they are of one picture.
    """
    whole = sum(frames_of(part) for part, _ in seen if part.stage is Stage.CHUNK)
    weights = weigh([part for part, _ in seen])
    join = _JOIN_SHARE * whole
    done = sum(
        weight * _share(part, progress) for (part, progress), weight in zip(seen, weights, strict=True)
    )
    frames = sum(frames_of(part) * _share(part, how) for part, how in seen if part.stage is Stage.CHUNK)
    percent = round(100 * done / (sum(weights) + join), 2) if whole else None
    known = [
        replace(_part(part, progress, now), weight=weight)
        for (part, progress), weight in zip(seen, weights, strict=True)
    ]
    left = left_of_parts(known)
    if left is not None:
        left = round(left + _JOIN + _joining_takes(known, join), 1)
    return Progress(frame=int(frames), percent=percent, seconds_left=left)


def _joining_takes(known: Sequence[Part], join: float) -> float:
    """Seconds, at the pace of the parts that are known."""
    timed = [
        (part.weight, part.over + part.left)
        for part in known
        if part.over is not None and part.left is not None
    ]
    work = sum(weight for weight, _ in timed)
    return join * sum(seconds for _, seconds in timed) / work if work > 0 else 0.0


def _further(seen: Sequence[tuple[Job, Progress | None]]) -> list[tuple[Job, Progress | None]]:
    """The parts without their twins; one goes on as its twin does, if that is further, or it only waits."""
    twins = {twin.twin_of: (twin, how) for twin, how in seen if twin.twin_of and twin.lease}
    found = []
    for part, how in seen:
        twin, its = twins.get(part.id, (part, how))
        if not part.status.final and (part.lease is None or _share(twin, its) > _share(part, how)):
            found.append((replace(part, status=twin.status, attempts=twin.attempts), its))
        elif part.twin_of is None:
            found.append((part, how))
    return found


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
