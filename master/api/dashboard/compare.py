"""The page that compares results: a table, and plots of the same numbers."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Response, request
from marshmallow import ValidationError, validate

from common import problems
from common.fields import StrictString
from common.schema import Strict, flatten
from master.api.answers import invalid
from master.api.dashboard import compared, plots
from master.api.dashboard.compared import LOOKED_AT, MOST, Compared
from master.api.dashboard.page import blueprint, node_names, page
from master.operator.report import bdrate
from master.operator.report.bdrate import BdRate
from master.operator.report.groups import Point, by_clip, points
from master.operator.report.quantities import BITRATE, ENERGY, QUALITIES, QUANTITIES, SPEED, Quantity
from master.operator.report.runs import Run, Series

MOST_CLIPS = 3
"""Clips that are drawn, and compared by BD-rates: those that most results are of."""
MOST_WAYS = 8
"""Ways of encoding a clip that are compared by BD-rates: those of which most points are known."""
_IDS = MOST * 64


class CompareQuery(Strict):
    """What is compared: these jobs, or the newest of a scenario, or the newest of all."""

    ids = StrictString(load_default="", validate=validate.Length(max=_IDS))
    scenario = StrictString(load_default="", validate=validate.Length(max=64))
    rates = StrictString(load_default=None, allow_none=False, validate=validate.OneOf(["1"]))


@blueprint.get("/ui/compare")
def compare() -> Response:
    """Results beside each other."""
    found, wanted = _chosen()
    names = node_names()
    runs = [job.run(names) for job in found]
    # The library behind BD-rates takes half a second to load: script asks for them after the first paint.
    thorough = "HX-Request" in request.headers or wanted["rates"] is not None
    series = sorted({each.series for each in runs})
    return page(
        "compare.html",
        rows=[_row(job, each) for job, each in zip(found, runs, strict=True)],
        columns=[q for q in QUANTITIES if any(q.read(each.metrics) is not None for each in runs)],
        plots=_plots(runs, series),
        bars=_bars(runs, series),
        legend=[(place % plots.KINDS, each.label) for place, each in enumerate(series)],
        places={each: place for place, each in enumerate(series)},
        rates=_rates(runs) if thorough else None,
        qualities={each.name: each.title for each in QUALITIES},
        wanted=wanted,
        most=MOST,
        looked_at=LOOKED_AT,
        query=request.query_string.decode("ascii", "replace"),
    )


@blueprint.get("/ui/compare.csv")
def compare_csv() -> Response:
    """The table for programs; unknown is empty."""
    found, _ = _chosen()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ["job_id", "finished_at", "clip", "series", "rate", "node", *(q.name for q in QUANTITIES)]
    )
    names = node_names()
    for job in found:
        each = job.run(names)
        numbers = (q.read(each.metrics) for q in QUANTITIES)
        told = [job.id, job.finished_at, each.clip, each.series.label, each.rate, each.node]
        writer.writerow([_cell(value) for value in (*told, *numbers)])
    headers = {"Content-Disposition": 'attachment; filename="results.csv"'}
    return Response(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: Any) -> str:
    """A text that a spreadsheet would take for a formula is marked as a text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
    return f"{value:.6g}"


def _chosen() -> tuple[list[Compared], Mapping[str, Any]]:
    """The completed jobs that are asked for, of those that the caller may see, and the query."""
    query = {name: " ".join(request.args.getlist(name)) for name in request.args}
    query["ids"] = " ".join((query.get("ids", ""), query.pop("job_id", ""))).replace(",", " ")
    try:
        wanted: Mapping[str, Any] = CompareQuery().load(query)
    except ValidationError as error:
        raise invalid(flatten(error.messages)) from error
    ids = list(dict.fromkeys(wanted["ids"].split()))
    if len(ids) > MOST:
        raise problems.invalid_field("ids", f"Name at most {MOST} jobs.")
    return (compared.named(ids) if ids else compared.newest(wanted["scenario"])), wanted


def _row(job: Compared, each: Run) -> dict[str, Any]:
    return {
        "id": job.id,
        "archived": job.archived,
        "clip": each.clip,
        "series": each.series,
        "rate": each.rate,
        "node": each.node,
        "metrics": each.metrics,
    }


def _plots(runs: Sequence[Run], series: Sequence[Series]) -> list[plots.Plot]:
    """Quality against bitrate, of the clip that most results are of: other clips have other curves."""
    measured = points(runs, by_node=False)
    drawn = []
    for clip in _clips(measured):
        own = [each for each in measured if each.clip == clip]
        quality = next((q for q in QUALITIES if any(each.value(q) for each in own)), None)
        if quality is not None:
            spots = list(_spots(own, quality, series))
            title = f"{quality.title} against bitrate: {clip}"
            unit = f"{quality.title} ({quality.unit})" if quality.unit else quality.title
            made = plots.plot(title, f"{BITRATE.title} ({BITRATE.unit})", unit, spots)
            drawn += [] if made is None else [made]
    return drawn


def _clips(measured: Iterable[Point]) -> list[str]:
    """Those of which most is known."""
    counts = Counter(
        each.clip for each in measured for q in QUALITIES if each.value(q) and each.value(BITRATE)
    )
    return [clip for clip, _ in counts.most_common(MOST_CLIPS)]


def _rates(runs: Sequence[Run]) -> list[BdRate]:
    """Bits for the same quality, of each pair of the ways of encoding of which most points are known."""
    measured = points(runs, by_node=False)
    found = []
    for clip in _clips(measured):
        own = [each for each in measured if each.clip == clip]
        ways = [series for series, _ in Counter(each.series for each in own).most_common(MOST_WAYS)]
        found += bdrate.comparisons(each for each in own if each.series in ways)
    return found


def _spots(own: Iterable[Point], quality: Quantity, series: Sequence[Series]) -> Iterable[plots.Point]:
    for each in own:
        rate, value = each.value(BITRATE), each.value(quality)
        if rate is not None and value is not None:
            name = (
                f"{each.series.label}, {each.rate}: {quality.title} {value.mean:,.{quality.digits}f} "
                f"at {rate.mean:,.0f} {BITRATE.unit}"
            )
            yield plots.Point(series.index(each.series), name, rate.mean, value.mean)


def _bars(runs: Sequence[Run], series: Sequence[Series]) -> list[tuple[Quantity, list[plots.Bar]]]:
    """Speed and energy of each way of encoding, by node and clip."""
    groups = by_clip(runs)
    clips = {each.clip for each in groups}
    drawn = []
    for quantity in (SPEED, ENERGY):
        named = []
        for each in groups:
            value = each.value(quantity)
            if value is not None:
                parts = [each.series.label, each.node, each.clip if len(clips) > 1 else ""]
                named.append((series.index(each.series), " · ".join(filter(None, parts)), value.mean))
        if named:
            drawn.append((quantity, plots.bars(named)))
    return drawn
