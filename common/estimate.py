"""How long a running attempt still takes, from the steps it is made of and how fast they go. Pure.

An attempt is more than one ffmpeg: two passes, samples, repeats, measuring, checking. Each is a `Step` with
an amount of work; how long a unit of it takes is its pace. Of the step under way the pace is measured; of one
that comes later it is that of its kind in this attempt, or follows from that of a step it is like, or is what
this node has seen in earlier attempts, or what is usual. Without any of these the estimate is None.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from common.progress import ALMOST

_APART = math.log(1.35)
"""By how much two paces may differ before only the newer one is believed."""
_FIRM = 3
"""Marks from which on the time that a step took to begin is left out of its pace."""
_SHOWN, _SHOWN_SHARE = 6, 0.3
"""So many marks, or so much of it, say all of a step's pace, and what was expected of it nothing any more.
Of a step that nobody expected anything of, fewer than `_FIRM` marks before that share say nothing."""
_MOST_MARKS = 2048
_STILL = 5.0
"""Seconds, and a tenth of the step, for which it may tell nothing before it is taken to stand still."""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of an attempt that goes at one pace."""

    kind: str
    """Steps of one kind take as long for one unit."""
    amount: float
    """How much there is to do, in units of its kind; not negative."""
    usual: float | None = None
    """Seconds for one unit, where nothing better is known."""
    like: str | None = None
    """Another kind, whose pace says something of this one's."""
    factor: float = 1.0
    """How many times the pace of that other kind this one's is, where no attempt has shown it."""


@dataclass(slots=True)
class _Now:
    """The step under way."""

    step: Step
    begun: float
    marks: list[tuple[float, float]] = field(default_factory=list)
    """When it was how far: seconds, and a share from 0 to 1; both grow."""


class Course:
    """The way of one attempt: what is done, what goes on, and what is expected to come."""

    def __init__(self, started: float, seen: Mapping[str, float] | None = None) -> None:
        """It began at `started`, in seconds on any clock that only goes forward.

        `seen`: the paces of earlier attempts, by kind, in seconds for one unit.
        """
        self._started = started
        self._seen = dict(seen or {})
        self._own: dict[str, float] = {}
        self._ahead: list[Step] | None = None  # None: nobody has said
        self._now: _Now | None = None

    def plan(self, ahead: Sequence[Step]) -> None:
        """What is expected after the step under way, in place of what was expected before."""
        self._ahead = list(ahead)

    def begin(self, step: Step, now: float) -> dict[str, float]:
        """The step before has ended, and this one goes on; the paces that this taught, by kind.

        It stands for the first of its kind that was expected, and what was expected before that is left out.
        """
        learned = self.end(now)
        kinds = [each.kind for each in self._ahead or ()]
        if self._ahead is not None and step.kind in kinds:
            del self._ahead[: kinds.index(step.kind) + 1]
        self._now = _Now(step, now)
        return learned

    def end(self, now: float) -> dict[str, float]:
        """The step under way has ended, if there is one; its pace, by its kind."""
        ended, self._now = self._now, None
        if ended is None or ended.step.amount <= 0 or now <= ended.begun:
            return {}
        self._own[ended.step.kind] = (now - ended.begun) / ended.step.amount
        return {ended.step.kind: self._own[ended.step.kind]}

    def mark(self, share: float, now: float) -> None:
        """The step under way is so far, as a share from 0 to 1. What is no news is passed over."""
        if self._now is None:
            return
        marks = self._now.marks
        if share > (marks[-1][1] if marks else 0.0):
            marks.append((now, min(1.0, share)))
        if len(marks) > _MOST_MARKS:
            del marks[1::2]

    def left(self, now: float) -> float | None:
        """Seconds until the attempt ends; None while that is not known."""
        return self._left(now, rough=False)

    def percent(self, now: float) -> float | None:
        """How much of its time is over, below 100; None while nothing is known of that. It may go back."""
        left, over = self._left(now, rough=True), now - self._started
        if left is None or over + left <= 0:
            return None
        return min(ALMOST, 100 * over / (over + left))

    def _left(self, now: float, *, rough: bool) -> float | None:
        """`rough`: the first that a step tells is taken for its pace."""
        at = self._now
        if at is None or self._ahead is None:
            return None
        whole = self._whole(at, rough=rough)
        if whole is None:
            return None
        paces = {} if at.step.amount <= 0 else {at.step.kind: whole / at.step.amount}
        left = self._rest(at, whole, now)
        for step in self._ahead:
            pace = self._pace(step, {**self._own, **paces})
            if pace is None:
                return None
            left += pace * step.amount
        return left

    def _rest(self, at: _Now, whole: float, now: float) -> float:
        """Seconds that the step under way still takes: as long as it stands still already, if it seems to."""
        if not at.marks:
            left, late = max(0.0, whole - (now - at.begun)), now - at.begun - whole
        else:
            told, share = at.marks[-1]
            # It has gone on since it told so; one that tells nothing for long is not believed to have ended.
            left = max(0.0, (1 - share) * whole - min(now - told, 0.1 * whole))
            late = now - told - 0.1 * whole
        return max(left, late - _STILL)

    def _whole(self, at: _Now, *, rough: bool) -> float | None:
        """Seconds that the step under way takes: what was expected, and more and more what it shows."""
        pace = self._pace(at.step, self._own)
        expected = None if pace is None else pace * at.step.amount
        if not at.marks:
            return expected
        share = at.marks[-1][1]
        if expected is None and len(at.marks) < _FIRM and share < _SHOWN_SHARE and not rough:
            return None
        shown = seconds_of_all(at.marks, at.begun)
        if expected is None or expected <= 0 or shown <= 0:
            return shown
        believed = min(1.0, max(len(at.marks) / _SHOWN, share / _SHOWN_SHARE))
        return math.exp((1 - believed) * math.log(expected) + believed * math.log(shown))

    def _pace(self, step: Step, own: Mapping[str, float]) -> float | None:
        """Seconds for one unit, where `own` are the paces in this attempt."""
        if step.kind in own:
            return own[step.kind]
        seen, other = self._seen.get(step.kind), step.like or ""
        before = self._seen.get(other)
        if other in own:
            return own[other] * (seen / before if seen and before else step.factor)
        if seen is not None:
            return seen
        return step.usual if before is None else before * step.factor


def seconds_of_all(marks: Sequence[tuple[float, float]], begun: float) -> float:
    """How long a step takes that was so far at these times, from its first to its last unit.

    Content changes: where the newer half of the time went at another pace than all of it, the newer one is
    believed, the more the two differ; where they hardly differ, that is chance, and all of it counts.
    """
    last, share = marks[-1]
    if len(marks) < _FIRM:
        return (last - begun) / share
    first, before = marks[0]
    overall = (last - first) / (share - before)
    at = bisect_left(marks, (first + last) / 2, key=lambda mark: mark[0])
    middle, half = marks[min(at, len(marks) - 3)]
    newer = (last - middle) / (share - half)
    if overall <= 0 or newer <= 0:
        return overall
    apart = math.log(newer / overall)
    return overall * math.exp(apart * min(1.0, abs(apart) / _APART))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a job that was divided."""

    weight: float
    """How much work it is, beside the other parts."""
    over: float | None
    """Seconds that it has taken so far, or took; None: it has not begun."""
    left: float | None = None
    """Seconds that it still takes, while it runs; 0 when it is done."""


def left_of_parts(parts: Iterable[Part]) -> float | None:
    """Seconds until all parts are done; None while that is not known.

    Those that wait are expected to take as long for their weight as the others, to begin in their order, and
    to go on as many at once as run now.
    """
    known = list(parts)
    begun = [(part.weight, part.over, part.left) for part in known if part.over is not None]
    timed = [(weight, over, left) for weight, over, left in begun if left is not None]
    work = sum(weight for weight, _, _ in timed)
    if len(timed) < len(begun) or work <= 0:
        return None
    pace = sum(over + left for _, over, left in timed) / work
    lanes = [left for _, _, left in timed if left > 0]
    if not lanes:
        return None
    heapify(lanes)
    for part in known:
        if part.over is None:
            heappush(lanes, heappop(lanes) + part.weight * pace)
    return max(lanes)
