"""Raw figures are kept as they were, and a row that is measured anew replaces its own last result only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench import kept
from bench.rig import Sample
from tests.bench.support import result, taken


def test_what_is_read_is_what_was_kept(tmp_path: Path) -> None:
    found = replace(
        result(
            taken("ours", Sample(1.5, {"p99, ms": 2.0}), 3.0),
            replace(taken("absent"), missing="redis-server"),
        ),
        error="LateError: it took more than 5 s",
    )
    kept.keep(tmp_path, found)
    assert kept.read(tmp_path) == {"key": found}


def test_nothing_was_measured_where_nothing_was_kept(tmp_path: Path) -> None:
    assert kept.read(tmp_path) == {}


def test_other_rows_stay_as_they_were(tmp_path: Path) -> None:
    old, other, new = result(key="a"), result(key="b"), result(taken("ours", 9.0), key="a")
    for each in (old, other, new):
        kept.keep(tmp_path, each)
    assert kept.read(tmp_path) == {"a": new, "b": other}
