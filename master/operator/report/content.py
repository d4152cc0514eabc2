"""All that a report says, in whichever form it is written: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.timestamps import timestamp
from master.operator.report import bdrate, groups
from master.operator.report.bdrate import BdRate
from master.operator.report.estimate import Estimate
from master.operator.report.groups import Point
from master.operator.report.quantities import QUALITIES, QUANTITIES, Quantity
from master.operator.report.runs import Record, Run, Series, run
from master.operator.report.source import FORMAT, Records


@dataclass(frozen=True, slots=True)
class Content:
    """A report before it is written."""

    title: str
    made_at: datetime
    origin: str
    records: Sequence[Record]
    waiting: int
    runs: Sequence[Run]
    """Of the completed ones."""
    failed: Sequence[Record]
    measured: Sequence[Point]
    """By clip, series, rate and node."""
    everywhere: Sequence[Point]
    """By clip, series and rate: where an encode ran does not change its bits."""
    clips: Sequence[Point]
    """By clip, series and node, over all rates."""
    overall: Sequence[Point]
    """By series and node, over all clips and rates."""
    bd_rates: Sequence[BdRate]

    @property
    def series(self) -> list[Series]:
        """All ways of encoding, in the order in which they are shown."""
        return sorted({one.series for one in self.runs})

    @property
    def quality(self) -> Quantity | None:
        """The quality that is drawn: the first that most points have; None if none was measured."""
        counts = Counter(q.name for p in self.everywhere for q in QUALITIES if p.value(q))
        known = [q for q in QUALITIES if counts[q.name]]
        return max(known, key=lambda q: counts[q.name]) if known else None


def content(found: Records, title: str, made_at: datetime) -> Content:
    """Sort, group and compare."""
    runs = [run(record) for record in found.finished if record["status"] == "completed"]
    everywhere = groups.points(runs, by_node=False)
    return Content(
        title=title,
        made_at=made_at,
        origin=found.origin,
        records=found.finished,
        waiting=found.waiting,
        runs=runs,
        failed=[record for record in found.finished if record["status"] != "completed"],
        measured=groups.points(runs, by_node=True),
        everywhere=everywhere,
        clips=groups.by_clip(runs),
        overall=groups.overall(runs),
        bd_rates=bdrate.comparisons(everywhere),
    )


def document(told: Content) -> dict[str, Any]:
    """The report as JSON. `records` is what `--from` reads again; the rest follows from it."""
    return {
        "format": FORMAT,
        "title": told.title,
        "made_at": timestamp(told.made_at),
        "waiting": told.waiting,
        "points": [_point(point) for point in told.measured],
        "bd_rates": [_bd_rate(one) for one in told.bd_rates],
        "records": list(told.records),
    }


def _series(series: Series) -> dict[str, Any]:
    return {
        "codec": series.codec,
        "preset": series.preset or None,
        "encoder": series.encoder or None,
        "other": series.other,
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "clip": point.clip,
        **_series(point.series),
        "rate": point.rate,
        "node": point.node or None,
        "jobs": point.jobs,
        "energy_source": ", ".join(point.sources) or None,
        "currency": point.currency or None,
        **{quantity.name: _estimate(point.value(quantity)) for quantity in QUANTITIES},
    }


def _estimate(found: Estimate | None) -> dict[str, Any] | None:
    return None if found is None else {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}


def _bd_rate(one: BdRate) -> dict[str, Any]:
    return {
        "clip": one.clip,
        "quality": one.quality,
        "anchor": _series(one.anchor),
        "test": _series(one.test),
        "anchor_points": one.points[0],
        "test_points": one.points[1],
        "percent": one.percent,
        "overlap": None if one.overlap is None else list(one.overlap),
        "share": one.share,
        "reason": one.reason or None,
    }


COLUMNS = (
    "clip", "codec", "preset", "encoder", "other", "rate", "node", "jobs", "energy_source", "currency",
)  # fmt: skip


def rows(told: Content) -> Iterable[list[str]]:
    """The report as CSV: a heading, then a row for each point. Unknown is empty."""
    parts = ("mean", "low", "high", "n")
    yield [*COLUMNS, *(f"{q.name}_{part}" for q in QUANTITIES for part in parts)]
    for point in told.measured:
        shown: Mapping[str, Any] = _point(point)
        row = [_cell(shown[name]) for name in COLUMNS]
        for quantity in QUANTITIES:
            value = shown[quantity.name] or {}
            row += [_cell(value.get(part)) for part in parts]
        yield row


def _cell(value: Any) -> str:
    """A cell. A text that a spreadsheet would take for a formula is marked as a text."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
