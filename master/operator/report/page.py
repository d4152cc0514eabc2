"""The report as one HTML page that needs nothing else: no script, no request, no font."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from common.timestamps import timestamp
from common.version import VERSION
from master.operator.report import bdrate, plots
from master.operator.report.content import Content
from master.operator.report.estimate import Estimate
from master.operator.report.groups import Point
from master.operator.report.quantities import (
    BITRATE,
    COST,
    CPU,
    ENERGY,
    ENERGY_NET,
    MEMORY,
    QUALITIES,
    QUANTITIES,
    SPEED,
    Quantity,
)
from master.operator.report.runs import Series

MOST_DRAWN = 24
"""Clips that get plots; the tables have all."""
_COSTS = (SPEED, CPU, MEMORY, ENERGY, ENERGY_NET, COST)


def available() -> bool:
    """Whether what draws is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def page(told: Content) -> str:
    """The whole page."""
    environment = Environment(
        loader=PackageLoader("master.operator.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, interval=interval)
    places = {series: place for place, series in enumerate(told.series)}
    return environment.get_template("report.html").render(
        told=told,
        made_at=timestamp(told.made_at),
        version=VERSION,
        quality=told.quality,
        nodes=sorted({run.node for run in told.runs}),
        ffmpegs=sorted({str(v) for run in told.runs if (v := run.metrics.get("ffmpeg_version"))}),
        costs=_measured(_COSTS, told.overall),
        energies=(ENERGY, ENERGY_NET),
        has_energy=bool(_measured((ENERGY, ENERGY_NET), told.overall)),
        has_cost=bool(_measured((COST,), told.overall)),
        legend={series: plots.legend_mark(place) for series, place in places.items()},
        clips=[_clip(told, clip, n, places) for n, clip in enumerate(_clips(told))],
        bd_means=[_bd_table(told, quality) for quality in QUALITIES if _compared(told, quality)],
        bd_rates=told.bd_rates,
        titles={quality.name: quality.title for quality in QUALITIES},
        failures=_failures(told),
        most_drawn=MOST_DRAWN,
        min_points=bdrate.MIN_POINTS,
        min_overlap=bdrate.MIN_OVERLAP,
    )


def number(found: Estimate | None, quantity: Quantity) -> str:
    """A mean for people; a dash if nobody knows it."""
    return "–" if found is None else f"{found.mean:,.{quantity.digits}f}"


def interval(found: Estimate | None, quantity: Quantity) -> str:
    """How far the mean can be off, and from how many values it comes."""
    if found is None:
        return ""
    if found.low is None or found.high is None:
        return f"n = {found.n}"
    return f"{found.low:,.{quantity.digits}f} to {found.high:,.{quantity.digits}f}, n = {found.n}"


def _clips(told: Content) -> list[str]:
    return sorted({point.clip for point in told.everywhere})


def _measured(quantities: Iterable[Quantity], points: Sequence[Point]) -> list[Quantity]:
    """Those that any of the points has: no column is empty."""
    return [quantity for quantity in quantities if any(point.value(quantity) for point in points)]


def _clip(told: Content, clip: str, place: int, places: dict[Series, int]) -> dict[str, Any]:
    """What the page says of one clip."""
    measured = [p for p in told.measured if p.clip == clip]
    totals = [p for p in told.clips if p.clip == clip]
    drawn = _plots(told, clip, f"clip{place + 1}", totals, places) if place < MOST_DRAWN else []
    return {
        "name": clip,
        "id": f"clip{place + 1}",
        "series": sorted({p.series for p in measured}),
        "plots": drawn,
        "points": measured,
        "columns": _measured(QUANTITIES, measured),
        "totals": totals,
        "costs": _measured(_COSTS, totals),
    }


def _plots(
    told: Content, clip: str, name: str, totals: Sequence[Point], places: dict[Series, int]
) -> list[dict[str, str]]:
    """The plots of one clip: quality against bitrate and speed, or the speed alone; energy and cost."""
    quality, drawn = told.quality, []
    everywhere = [p for p in told.everywhere if p.clip == clip]
    measured = [p for p in told.measured if p.clip == clip]
    if quality is not None:
        title = f"{quality.title} against bitrate"
        if lines := _lines(everywhere, BITRATE, quality, places):
            drawn.append((title, plots.curves(f"{name}-rd", title, BITRATE, quality, lines)))
        for number_, node in enumerate(sorted({p.node for p in measured})):
            here = [p for p in measured if p.node == node]
            title = f"{quality.title} against speed on {node}" if node else f"{quality.title} against speed"
            if lines := _lines(here, SPEED, quality, places):
                key = f"{name}-speed{number_}"
                drawn.append((title, plots.curves(key, title, SPEED, quality, lines)))
    shown = (ENERGY, COST) if quality is not None else (SPEED, CPU, ENERGY, COST)
    for quantity in shown:
        unit = _cost_unit(totals) if quantity is COST else None
        if rows := _bars(totals, quantity, places):
            title = f"{quantity.title} of each way and node"
            drawn.append((title, plots.bars(f"{name}-{quantity.name}", title, quantity, rows, unit)))
    return [{"title": title, "svg": svg} for title, svg in drawn]


def _lines(points: Sequence[Point], x: Quantity, y: Quantity, places: dict[Series, int]) -> list[plots.Line]:
    lines = []
    for series in sorted({p.series for p in points}):
        pairs = [(p.value(x), p.value(y)) for p in points if p.series == series]
        spots = [plots.Spot(a, b) for a, b in pairs if a is not None and b is not None]
        if spots:
            lines.append(plots.Line(places[series], spots))
    return lines


def _bars(points: Sequence[Point], quantity: Quantity, places: dict[Series, int]) -> list[plots.Bar]:
    """A bar for each row of the clip's table; its label is the row's number."""
    rows = ((n, p, p.value(quantity)) for n, p in enumerate(points, start=1))
    return [plots.Bar(places[p.series], str(n), value) for n, p, value in rows if value is not None]


def _cost_unit(points: Iterable[Point]) -> str | None:
    """The money of a plot; None if it has no name, or more than one."""
    names = {p.currency for p in points if p.value(COST)}
    return f"{names.pop()} {COST.unit}" if len(names) == 1 and "" not in names else None


def _compared(told: Content, quality: Quantity) -> bool:
    return any(one.quality == quality.name for one in told.bd_rates)


def _bd_table(told: Content, quality: Quantity) -> dict[str, Any]:
    """Each way of encoding against each other, over all clips."""
    means = bdrate.mean_over_clips(told.bd_rates, quality.name)
    rows = [one for one in told.bd_rates if one.quality == quality.name]
    series = sorted({s for one in rows for s in (one.anchor, one.test)})
    return {"quality": quality, "series": series, "means": means, "any": bool(means)}


def _failures(told: Content) -> list[dict[str, Any]]:
    """How jobs failed, by code: most of them first."""
    codes = Counter((record["error"] or {}).get("code", "") for record in told.failed)
    examples = {
        (r["error"] or {}).get("code", ""): (r["error"] or {}).get("message", "") for r in told.failed
    }
    return [
        {"code": code or "–", "count": count, "example": examples[code]}
        for code, count in codes.most_common()
    ]
