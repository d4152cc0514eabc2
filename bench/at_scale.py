"""The figures of bench/scale.py as rows: the same work with few and with many jobs, and with many nodes.

Each measure is a process of its own, tells several figures, and takes medians itself; so it is made once for
all rows that show something of it, and these have one sample each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.rig import Look, Row, Sample, Subject, Target

NODES, FEW_NODES = 10_000, 500
JOBS, SOME_JOBS = 1_000_000, 5_000
"""Many jobs; of a quick run."""
_NODES = (
    ("http_share", "cores", 1.0, "Heartbeats and long-polls of {nodes:,} nodes, each every 30 s"),
    ("lost", "nodes", 0.0, "Of {nodes:,} nodes that send heartbeats: taken for dead"),
)


class Measures:
    """What was measured so far."""

    def __init__(self, scale: Any, nodes: int) -> None:
        """`scale`: the module."""
        self._scale = scale
        self._nodes = nodes
        self._known: dict[tuple[str, int], dict[str, float]] = {}

    @contextmanager
    def opened(self, name: str, figure: str, jobs: int, folder: Path) -> Iterator[Look]:
        """One figure of a measure, which is made if it was not yet."""

        def look() -> Sample:
            if (name, jobs) not in self._known:
                self._known[name, jobs] = self._scale.measured(name, jobs, self._nodes, folder)
            return Sample(self._known[name, jobs][figure])

        yield look


def rows(quick: bool) -> list[Row]:
    """None while there is no bench/scale.py."""
    if find_spec("bench.scale") is None:
        return []
    scale = import_module("bench.scale")
    jobs, nodes = (SOME_JOBS, FEW_NODES) if quick else (JOBS, NODES)
    measures, few, many = Measures(scale, nodes), int(scale.FEW), "many jobs"
    found = [_row(measures, each, jobs, few) for each in scale.ROWS]
    for figure, unit, most, title in _NODES:
        ours = Subject(many, partial(measures.opened, "nodes", figure, jobs))
        key = f"scale-nodes-{figure.replace('_', '-')}"
        found.append(
            Row(
                key,
                title.format(nodes=nodes),
                unit,
                ours,
                (),
                (Target(most=most),),
                "less",
                "",
                1,
                600 if jobs == JOBS else 120,
            )
        )
    return found


def _row(measures: Measures, each: Any, jobs: int, few: int) -> Row:
    """A line of bench/scale.py's table."""
    many, less = "many jobs", f"{few:,} jobs"
    targets = () if each.target is None else (Target(most=each.target, against=less if each.ratio else None),)
    limit = 900.0 if jobs == JOBS else 120.0
    return Row(
        f"scale-{each.measure}-{each.figure}".replace("_", "-"),
        each.what, each.unit,
        Subject(many, partial(measures.opened, each.measure, each.figure, jobs)),
        (Subject(less, partial(measures.opened, each.measure, each.figure, few)),),
        targets, "less", f"{jobs:,} jobs.", runs=1, limit=limit,
    )  # fmt: skip
