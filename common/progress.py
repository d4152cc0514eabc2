"""What was told of an attempt, some seconds later. Pure."""

from __future__ import annotations

from dataclasses import replace

from common.model import Progress

MOST_AGE = 10.0
"""Seconds: agents tell every second or two, and one that is silent for longer may stand still."""
ALMOST = 99.0
"""Per cent that are told at most before the end: what is left may always take longer than it seems."""


def aged(told: Progress, seconds: float) -> Progress:
    """What was told so many seconds ago, as it is now: less is left, and more of the time is over.

    `percent` is the share of the time that is over, so what was left was the other share: from both follows
    how much a second is. Neither changes where `seconds_left` is not known.
    """
    left, percent = told.seconds_left, told.percent
    age = min(seconds, MOST_AGE)
    if left is None or age <= 0:
        return told
    rest = max(0.0, left - age)
    if percent is not None and percent < ALMOST:
        percent = ALMOST if left <= 0 else min(ALMOST, round(100 - (100 - percent) * rest / left, 1))
    return replace(told, seconds_left=round(rest, 1), percent=percent)


def after(told: Progress, before: Progress | None) -> Progress:
    """What was told, with no less of the time over than was shown just before it."""
    if told.percent is None or before is None or before.percent is None:
        return told
    return replace(told, percent=max(told.percent, before.percent))
