"""Rows and results that were never measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from bench.rig import Conditions, Look, NotThereError, Result, Row, Sample, Subject, Taken

CONDITIONS = Conditions(
    at="2026-01-02 03:04",
    command="python -m bench",
    load=(0.1, 1.2),
    busy=(0.01, 0.02),
    quick=False,
    seconds=9.5,
    machine="a machine",
    version="1.2.3 (abc)",
)


def taken(name: str, *values: float | Sample) -> Taken:
    return Taken(name, tuple(v if isinstance(v, Sample) else Sample(v) for v in values))


def result(*subjects: Taken, key: str = "key", conditions: Conditions = CONDITIONS) -> Result:
    return Result(key, f"Title of {key}", "", subjects, conditions)


def subject(
    name: str = "ours", look: Look | None = None, missing: str | None = None, closed: Any = None
) -> Subject:
    """Something that is measured by `look`; `closed` is called when it is ended."""

    @contextmanager
    def opened(_: Path) -> Iterator[Look]:
        if missing is not None:
            raise NotThereError(missing)
        try:
            yield look or (lambda: Sample(1.0))
        finally:
            if closed is not None:
                closed()

    give: Callable[[Path], AbstractContextManager[Look]] = opened
    return Subject(name, give)


def row(key: str = "key", **more: Any) -> Row:
    return Row(key, f"Title of {key}", "jobs/s", **{"ours": subject(), **more})
