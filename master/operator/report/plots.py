"""Plots, drawn by matplotlib, as SVG that goes into a page: it takes its colours from the page's style.

No text of a user is in a drawing: what a line or a bar stands for is told by the legend beside it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET  # nosec B405 # it reads our own drawings only

from master.operator.report.estimate import Estimate
from master.operator.report.quantities import BITRATE, Quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = 8
"""Colours of lines; with the marks there are 64 pairs that can be told apart without colour too."""
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
_WIDTH, _HEIGHT = 4.6, 3.1
"""Inches. At the width of a phone, letters are as large as those of the text around."""
_INK, _GRID, _LINE = "#010101", "#010102", "#0101{:02x}"
"""Colours that nothing else has; the page's own take their place."""
_SVG = "{http://www.w3.org/2000/svg}"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 10,
    "text.parse_math": False,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _GRID,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _GRID,
    "axes.grid": True,
    "axes.prop_cycle": f"cycler('color', ['{_INK}'])",
    "grid.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
}


@dataclass(frozen=True, slots=True)
class Spot:
    """One mark: where it is, with the intervals."""

    x: Estimate
    y: Estimate


@dataclass(frozen=True, slots=True)
class Line:
    """Marks of one kind."""

    place: int
    """Which of the legend's kinds."""
    spots: Sequence[Spot]
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its length with the interval."""

    place: int
    label: str
    """A short text of ours, such as `1`."""
    value: Estimate


def curves(name: str, title: str, x: Quantity, y: Quantity, lines: Sequence[Line]) -> str:
    """One quantity against another; `x` on a logarithmic scale. `name` is unique on the page."""
    figure, axes = _new()
    for line in lines:
        _draw(axes, line)
    _logarithmic(axes, x, [spot.x.mean for line in lines for spot in line.spots])
    axes.set_ylabel(_axis(y))
    axes.margins(0.08, 0.12)
    what = f"{y.title} against {x.title.lower()}, a line for each way of encoding."
    return _svg(figure, name, title, f"{what} The table below has the numbers.")


def bars(name: str, title: str, quantity: Quantity, shown: Sequence[Bar], unit: str | None = None) -> str:
    """One quantity, a bar for each way of encoding."""
    figure, axes = _new(height=max(1.5, 0.62 + 0.26 * len(shown)))
    for row, bar in enumerate(shown):
        colour = _colour(bar.place)
        axes.barh(row, bar.value.mean, height=0.66, color=colour)
        if bar.value.low is not None and bar.value.high is not None:
            ends = [[bar.value.mean - bar.value.low], [bar.value.high - bar.value.mean]]
            axes.errorbar(bar.value.mean, row, xerr=ends, fmt="none", ecolor=_INK, capsize=3, elinewidth=1)
    axes.set_yticks(range(len(shown)), [bar.label for bar in shown])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel(_axis(quantity, unit))
    return _svg(figure, name, title, f"{quantity.title}, a bar for each row of the table below.")


def mark(place: int) -> str:
    """The mark of the legend's kind `place`, as matplotlib calls it."""
    return MARKS[(place + place // COLOURS) % len(MARKS)]


def _new(height: float = _HEIGHT) -> tuple[Figure, Axes]:
    import matplotlib  # here: it takes a second, and may be missing
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(_STYLE)
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def _colour(place: int) -> str:
    return _LINE.format(16 + place % COLOURS)


def _draw(axes: Axes, line: Line) -> None:
    spots = sorted(line.spots, key=lambda spot: spot.x.mean)
    axes.errorbar(
        [spot.x.mean for spot in spots],
        [spot.y.mean for spot in spots],
        xerr=_ends([spot.x for spot in spots]),
        yerr=_ends([spot.y for spot in spots]),
        fmt=mark(line.place) + ("-" if line.joined else ""),
        color=_colour(line.place),
        markersize=5,
        linewidth=1.6,
        capsize=2.5,
        elinewidth=1,
    )


def _ends(values: Sequence[Estimate]) -> list[list[float]]:
    """How far each interval reaches down and up; nothing where there is none."""
    known = [v if v.low is not None and v.high is not None else None for v in values]
    return [
        [0.0 if v is None else max(0.0, v.mean - (v.low or 0.0)) for v in known],
        [0.0 if v is None else max(0.0, (v.high or 0.0) - v.mean) for v in known],
    ]


def _axis(quantity: Quantity, unit: str | None = None) -> str:
    unit = quantity.unit if unit is None else unit
    return f"{quantity.title} ({unit})" if unit else quantity.title


def _logarithmic(axes: Axes, quantity: Quantity, values: Sequence[float]) -> None:
    """A logarithmic axis with a few round numbers on it."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    axes.set_xlabel(_axis(quantity))
    if not values or min(values) <= 0:
        return
    axes.set_xscale("log")
    wide = max(values) / min(values) > 4
    subs = (1.0, 2.0, 5.0) if wide else (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _number(value, quantity)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _number(value: float, quantity: Quantity) -> str:
    return f"{value:,.0f}" if quantity is BITRATE or value >= 100 else f"{value:g}"


def _svg(figure: Figure, name: str, title: str, description: str) -> str:
    """The drawing as an element of a page: it grows with it, has its colours, and says what it shows."""
    import matplotlib

    matplotlib.rcParams["svg.hashsalt"] = name
    written = io.BytesIO()
    figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    ET.register_namespace("", _SVG.strip("{}"))
    # Our own drawing: nobody else wrote any of it.
    root = ET.fromstring(written.getvalue())  # noqa: S314 # nosec B314
    for child in [c for c in root if c.tag.endswith("}metadata")]:
        root.remove(child)
    for size in ("width", "height"):
        del root.attrib[size]
    _rename(root, name)
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        said = ET.Element(f"{_SVG}{tag}", {"id": f"{name}-{tag}"})
        said.text = text
        root.insert(position, said)
    root.attrib.update({"role": "img", "aria-labelledby": f"{name}-title {name}-desc", "class": "plot"})
    return _themed(ET.tostring(root, encoding="unicode", short_empty_elements=True))


def _rename(root: ET.Element, name: str) -> None:
    """Give every id the plot's name: several plots are on one page."""
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key == "id":
                element.attrib[key] = f"{name}-{value}"
            elif key.endswith("}href"):  # in a page it needs no namespace
                del element.attrib[key]
                element.attrib["href"] = value.replace("#", f"#{name}-")
            elif "url(#" in value:
                element.attrib[key] = value.replace("url(#", f"url(#{name}-")


def _themed(svg: str) -> str:
    """Colours and letters of the page, in place of ours."""
    for place in range(COLOURS):
        svg = svg.replace(_colour(place), f"var(--line{place})")
    svg = svg.replace(_INK, "var(--ink)").replace(_GRID, "var(--grid)")
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    return re.sub(r"font-family: [^;\"]*;? ?", "", svg)


def legend_mark(place: int) -> dict[str, Any]:
    """What the page's legend draws for the kind `place`: the same mark, as an SVG path in a box of 10."""
    return {"colour": f"var(--line{place % COLOURS})", "path": _PATHS[mark(place)]}


_PATHS = {
    "o": "M2 5a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
    "s": "M2 2h6v6h-6z",
    "^": "M5 1.5L8.5 8h-7z",
    "D": "M5 1L9 5L5 9L1 5z",
    "v": "M5 8.5L8.5 2h-7z",
    "P": "M4 1h2v3h3v2h-3v3h-2v-3h-3v-2h3z",
    "X": "M2.5 1L5 3.5L7.5 1L9 2.5L6.5 5L9 7.5L7.5 9L5 6.5L2.5 9L1 7.5L3.5 5L1 2.5z",
    "*": "M5 .5L6.2 3.8H9.6L6.8 5.8L7.9 9.2L5 7.1L2.1 9.2L3.2 5.8L.4 3.8H3.8z",
}
