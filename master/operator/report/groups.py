"""Runs that asked for the same are repeats of one measurement: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from master.operator.report.estimate import Estimate, estimate
from master.operator.report.quantities import BITRATE, QUANTITIES, SPEED, Quantity
from master.operator.report.runs import Run, Series

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement: a clip, encoded in one way at one rate (on one node, or on several)."""

    clip: str
    series: Series
    rate: str
    node: str
    """Empty: all nodes that there were."""
    jobs: int
    values: Mapping[str, Estimate]
    """By the name of the quantity; what nobody measured is missing."""
    sources: tuple[str, ...] = ()
    """Where the joules come from: `rapl`, `gpu`, `model` …"""
    currency: str = ""

    def value(self, quantity: Quantity) -> Estimate | None:
        """What was measured; None if nothing was."""
        return self.values.get(quantity.name)


def measure(runs: Sequence[Run], quantity: Quantity) -> Estimate | None:
    """The mean over the runs. A job that encoded several times counts with each encode."""
    values = []
    for one in runs:
        for metrics in _encodes(one):
            value = quantity.read(metrics)
            if value is not None:
                values.append(value)
    found = estimate(values)
    if found is not None and quantity is SPEED and len(runs) == 1 and not runs[0].repeats:
        return _told(runs[0].metrics, found)
    return found


def _encodes(one: Run) -> Iterable[Mapping[str, Any]]:
    """The metrics of each encode of a job. What was not measured for each (the quality) is told once."""
    if not one.repeats:
        return [one.metrics]
    length = {"duration": one.metrics.get("duration")}
    return [{**one.metrics, **one.repeats[0]}, *({**length, **repeat} for repeat in one.repeats[1:])]


def _told(metrics: Mapping[str, Any], found: Estimate) -> Estimate:
    """The interval that the node made of encodes that it does not list."""
    runs, low, high = (metrics.get(name) for name in ("runs", "speed_low", "speed_high"))
    if isinstance(runs, int) and runs > 1 and isinstance(low, int | float) and isinstance(high, int | float):
        return Estimate(found.mean, runs, low, high)
    return found


def points(runs: Iterable[Run], *, by_node: bool) -> list[Point]:
    """A point for each clip, series, rate (and node), in that order; rates from low to high."""
    grouped = _grouped(runs, lambda r: (r.clip, r.series, r.rate, r.node if by_node else ""))
    made = [_point(*key, members) for key, members in grouped.items()]
    return sorted(made, key=lambda p: (p.clip, p.series, p.node, _bitrate(p), p.rate))


def overall(runs: Iterable[Run]) -> list[Point]:
    """A point for each series and node, over all clips and rates."""
    grouped = _grouped(runs, lambda r: ("", r.series, "", r.node))
    made = [_point(*key, members) for key, members in grouped.items()]
    return sorted(made, key=lambda p: (p.series, p.node))


def by_clip(runs: Iterable[Run]) -> list[Point]:
    """A point for each clip, series and node, over all rates."""
    grouped = _grouped(runs, lambda r: (r.clip, r.series, "", r.node))
    made = [_point(*key, members) for key, members in grouped.items()]
    return sorted(made, key=lambda p: (p.clip, p.series, p.node))


def _grouped(runs: Iterable[Run], key: Callable[[Run], T]) -> dict[T, list[Run]]:
    grouped: dict[T, list[Run]] = defaultdict(list)
    for one in runs:
        grouped[key(one)].append(one)
    return grouped


def _point(clip: str, series: Series, rate: str, node: str, runs: Sequence[Run]) -> Point:
    currencies = _texts(runs, "currency")
    values = {}
    for quantity in QUANTITIES:
        found = measure(runs, quantity)
        # An amount in two currencies is no amount.
        if found is not None and not (quantity.name == "cost" and len(currencies) > 1):
            values[quantity.name] = found
    currency = currencies[0] if len(currencies) == 1 else ""
    return Point(clip, series, rate, node, len(runs), values, _texts(runs, "energy_source"), currency)


def _texts(runs: Iterable[Run], metric: str) -> tuple[str, ...]:
    return tuple(sorted({str(text) for r in runs if (text := r.metrics.get(metric)) is not None}))


def _bitrate(point: Point) -> float:
    known = point.value(BITRATE)
    return known.mean if known else float("inf")
