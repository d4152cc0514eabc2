"""Plots of named points and bars, placed on the server from the numbers of the table. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560.0, 300.0
"""Units of the drawing."""
LEFT, RIGHT, TOP, BOTTOM = 56.0, 24.0, 12.0, 36.0
"""Its margins."""
KINDS = 6
"""Series that can be told apart, by colour and by mark; the next begins anew."""


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement."""

    series: int
    """The place of its series in the legend."""
    name: str
    """What a person is told of it."""
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A point, placed."""

    kind: int
    name: str
    left: float
    top: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid: where it is, and its value in words."""

    place: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """One quantity against another."""

    title: str
    x_title: str
    y_title: str
    marks: Sequence[Mark]
    lines: Sequence[tuple[int, str]]
    """By series: its kind, and the `points` of a polyline."""
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]


def plot(title: str, x_title: str, y_title: str, points: Sequence[Point]) -> Plot | None:
    """The points of each series, joined in the order of `x`; None without any."""
    if not points:
        return None
    x_ticks = ticks(min(p.x for p in points), max(p.x for p in points))
    y_ticks = ticks(min(p.y for p in points), max(p.y for p in points))

    def across(x: float) -> float:
        return _between(x, x_ticks, LEFT, WIDTH - RIGHT)

    def up(y: float) -> float:
        return _between(y, y_ticks, HEIGHT - BOTTOM, TOP)

    lines = []
    for series in sorted({p.series for p in points}):
        own = sorted((p.x, p.y) for p in points if p.series == series)
        lines.append((series % KINDS, " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in own)))
    return Plot(
        title,
        x_title,
        y_title,
        [Mark(p.series % KINDS, p.name, round(across(p.x), 1), round(up(p.y), 1)) for p in points],
        lines,
        [Tick(round(across(value), 1), f"{value:,g}") for value in x_ticks],
        [Tick(round(up(value), 1), f"{value:,g}") for value in y_ticks],
    )


def _between(value: float, values: Sequence[float], first: float, last: float) -> float:
    return first + (value - values[0]) / (values[-1] - values[0]) * (last - first)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers, equally far apart, from `low` or below to `high` or above: two at least.

    The steps are 1, 2 or 5 times a power of ten, as on scales that people read.
    """
    span = high - low or abs(high) or 1.0
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(n * step, 12) for n in range(first, max(last, first + 1) + 1)]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart: its share of the longest one, in percent."""

    kind: int
    name: str
    value: float
    share: float


def bars(named: Sequence[tuple[int, str, float]]) -> list[Bar]:
    """Bars for values from 0 on: the place of the series, a name, and the value."""
    longest = max((value for _, _, value in named), default=0.0)
    return [
        Bar(series % KINDS, name, value, round(100 * value / longest, 2) if longest > 0 else 0.0)
        for series, name, value in named
    ]
