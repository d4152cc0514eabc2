"""How far a job is, made of how far its steps are: it never goes back."""

from __future__ import annotations

from dataclasses import replace

from agent.task import OnProgress
from common.model import Progress

NO_NEWS = Progress()
"""What a step tells that has nothing to say of the encode: the job stays where it is."""


def share(tell: OnProgress, start: float, end: float) -> OnProgress:
    """Tells of a step that takes the job from `start` to `end` per cent. Pure."""

    def scaled(progress: Progress, lines: list[str]) -> None:
        percent = progress.percent
        if percent is not None:
            percent = round(start + (end - start) * percent / 100, 1)
        tell(replace(progress, percent=percent), lines)

    return scaled


def silent(tell: OnProgress) -> OnProgress:
    """Hands on what is logged, and says nothing of how far it is. Pure."""
    return lambda _progress, lines: tell(NO_NEWS, lines)


class NeverBack:
    """Hands progress on, and in place of less what was told before."""

    def __init__(self, tell: OnProgress) -> None:
        self._tell = tell
        self._last = NO_NEWS

    def __call__(self, progress: Progress, lines: list[str]) -> None:
        """The newest progress of some step of the job, and what was logged."""
        last, told = self._last, progress
        if progress.frame is None and progress.out_time is None:
            told = last
        elif last.percent is not None:
            told = replace(progress, percent=max(last.percent, progress.percent or 0.0))
        self._last = told
        self._tell(told, lines)
