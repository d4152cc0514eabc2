"""Draws how many times the baseline each section's rows are, as docs/images/bench-….svg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.rig import Result, Row
from bench.sections import SECTIONS, gathered

_TICKS = [sign * 10.0**power for power in range(-4, 5) for sign in (1, 2, 5)]
Bar = tuple[str, float, bool]
"""What it is, our figure beside the other's, and whether more is better."""


def bars(rows: Sequence[Row], results: Mapping[str, Result]) -> list[Bar]:
    """One for each pair that was measured."""
    found = []
    for row in rows:
        result = results.get(row.key)
        for subject in row.against if result is not None else ():
            ratio = result.ratio(subject.name) if result is not None else None
            if ratio:
                found.append((f"{row.title}\nbeside {subject.name}", ratio, row.better == "more"))
    return found


def pictures(results: Mapping[str, Result]) -> dict[str, str]:
    """The file names of the plots, by the module of their section."""
    return {
        section.module: f"bench-{section.module.rpartition('.')[2].replace('_', '-')}.svg"
        for section in SECTIONS
        if bars(gathered(section, quick=False), results)
    }


def draw(results: Mapping[str, Result], folder: Path) -> None:
    """Draw each section of which something was measured, and remove the plots of others."""
    named = pictures(results)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("bench-*.svg"):
        old.unlink()
    for section in SECTIONS:
        if section.module in named:
            _draw(bars(gathered(section, quick=False), results), folder / named[section.module])


def _draw(found: Sequence[Bar], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    style: dict[Any, Any] = {
        "svg.hashsalt": path.name,
        "svg.fonttype": "none",
        "font.size": 9,
        "text.parse_math": False,
    }
    with mpl.rc_context(style):
        figure, axes = pyplot.subplots(figsize=(7.5, 0.8 + 0.42 * len(found)))
        places = range(len(found))
        colours = ["#2a78b8" if more else "#c7742a" for _, _, more in found]
        drawn = axes.barh(places, [ratio - 1 for _, ratio, _ in found], left=1, color=colours, height=0.65)
        axes.bar_label(drawn, labels=[f"{ratio:.3g}×" for _, ratio, _ in found], padding=3)
        axes.set_yticks(list(places), [label for label, _, _ in found])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
        axes.xaxis.set_minor_formatter(lambda _value, _place: "")
        ratios = [1.0, *(ratio for _, ratio, _ in found)]
        axes.set_xticks([tick for tick in _TICKS if min(ratios) / 2 <= tick <= max(ratios) * 2])
        axes.set_xlim(min(ratios) / 1.8, max(ratios) * 1.8)
        axes.axvline(1, color="0.4", linewidth=0.8)
        axes.set_xlabel("our figure divided by the other's (blue: more is better; orange: less is better)")
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
        pyplot.close(figure)
