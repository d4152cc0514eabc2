"""How far an attempt is, made of how far its steps are: it never goes back, nor reaches its end before it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from agent.paces import Paces
from common.estimate import Course, Step
from common.model import Progress

NO_NEWS = Progress()
"""What a step tells that has nothing to say of the encode: the job stays where it is."""
OnProgress = Callable[[Progress, list[str]], None]
"""Gets the newest progress and the log lines since the last call."""


def unseen(tell: OnProgress) -> OnProgress:
    """Hands on what is logged and how far the step is, and says nothing of the encode. Pure."""
    return lambda progress, lines: tell(Progress(percent=progress.percent), lines)


class Advance:
    """Tells how far an attempt is: what its steps say goes in, and what of the whole that is comes out.

    Only the thread of the attempt uses it.
    """

    def __init__(
        self,
        tell: OnProgress = lambda _progress, _lines: None,
        paces: Paces | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The attempt begins now."""
        self._tell, self._clock = tell, clock
        self._paces = paces or Paces()
        self._course = Course(clock(), self._paces.known())
        self._last = NO_NEWS
        self._working = False

    def plan(self, ahead: Sequence[Step]) -> None:
        """What is expected after the step under way."""
        self._course.plan(ahead)

    def begin(self, step: Step) -> None:
        """The step before has ended, and this one goes on."""
        self._paces.learn(self._course.begin(step, self._clock()))
        self._working = True
        self(NO_NEWS, [])

    def end(self) -> None:
        """The last step has ended well."""
        self._paces.learn(self._course.end(self._clock()))

    def known(self, kind: str) -> float | None:
        """What this node has seen of such steps, or of a number that it keeps like a pace."""
        return self._paces.known().get(kind)

    def learn(self, seen: Mapping[str, float]) -> None:
        """Numbers that are kept like paces, by their names."""
        self._paces.learn(seen)

    def __call__(self, progress: Progress, lines: list[str]) -> None:
        """The newest progress of the step under way, of which `percent` is a share; and what was logged."""
        now = self._clock()
        if progress.percent is not None:
            self._course.mark(progress.percent / 100, now)
        seen = self._last if progress.frame is None and progress.out_time is None else progress
        percent, left = self._course.percent(now), self._course.left(now)
        told = max((each for each in (self._last.percent, percent) if each is not None), default=None)
        self._last = replace(
            seen,
            percent=None if told is None else round(told, 1),
            seconds_left=None if left is None else round(left, 1),
        )
        self._tell(self._last, lines)
