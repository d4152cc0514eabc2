"""Small lines that show how a number went, drawn on the server, and the same in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240.0, 40.0
"""Units of the drawing."""
_MARGIN = 2.0


@dataclass(frozen=True, slots=True)
class Sparkline:
    """One number over time."""

    title: str
    runs: Sequence[str]
    """Each a polyline's `points`: where the number was not known there is a gap."""
    last: tuple[float, float] | None
    """Where the newest value is drawn; None if it is not known."""
    now: str
    """The newest value in words; a dash if it is not known."""
    words: str
    """What the line shows, for who does not see it."""


def sparkline(
    title: str,
    times: Sequence[float],
    values: Sequence[float | None],
    write: Callable[[float | None], str],
    top: float | None = None,
) -> Sparkline:
    """The line of `values` at `times` (seconds, rising).

    `write` gives a value in words. `top` is the value at the upper edge: None for the largest one.
    """
    known = [value for value in values if value is not None]
    now = write(values[-1] if values else None)
    if not known:
        return Sparkline(title, (), None, now, f"{title}: nothing is known")
    scale = max(known) if top is None else top
    begin, span = times[0], (times[-1] - times[0]) or 1.0
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in zip(times, values, strict=True):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((round(WIDTH * (at - begin) / span, 1), _height(value, scale)))
    last = runs[-1][-1] if runs[-1] else None
    words = f"{title}: now {now}, between {write(min(known))} and {write(max(known))}"
    return Sparkline(title, [_points(run) for run in runs if run], last, now, words)


def _height(value: float, scale: float) -> float:
    share = min(1.0, value / scale) if scale > 0 else 0.0
    return round(HEIGHT - _MARGIN - share * (HEIGHT - 2 * _MARGIN), 1)


def _points(run: Sequence[tuple[float, float]]) -> str:
    """A lone value is a short line, so that it can be seen."""
    if len(run) == 1:
        ((x, y),) = run
        run = [(max(0.0, x - 1), y), (min(WIDTH, x + 1), y)]
    return " ".join(f"{x:g},{y:g}" for x, y in run)
