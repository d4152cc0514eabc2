"""What is measured, and what follows from it: rows, samples, medians, ratios, targets. Pure.

A file that measures something gives `rows(quick: bool) -> list[Row]` and is named in `bench.sections`. A row
has *subjects*: ours, and what ours is compared with in the same run. `Subject.opened` starts one in an empty
directory and gives a `Look`; each call of that takes one `Sample`. `bench.running` opens all subjects of a
row, takes samples of each in turn, and ends them. `quick`: the same rows, sooner.

    def rows(quick: bool) -> list[Row]:
        jobs = 10_000 if quick else 1_000_000
        return [
            Row(
                "claim-at-scale", "A claim with a million jobs that wait", "us", better="less",
                ours=Subject("1,000,000 jobs", lambda folder: claims(folder, jobs)),
                against=(Subject("1,000 jobs", lambda folder: claims(folder, 1000)),),
                targets=(Target(most=1.2, against="1,000 jobs"),),
            )
        ]
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

RUNS = 5
"""Samples of each subject; of a quick run `QUICK_RUNS`."""
QUICK_RUNS = 2
QUIET = 0.05
"""The share of the machine that others may use of a quiet one."""


class NotThereError(Exception):
    """What is to be measured does not exist here; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one look found."""

    value: float
    """In the row's unit."""
    more: Mapping[str, float] = field(default_factory=dict)
    """Other figures of the same look, by what they are with their unit: `p99, ms`."""


Look = Callable[[], Sample]
"""Takes one sample; it may take seconds, and must end by itself."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that is measured."""

    name: str
    opened: Callable[[Path], AbstractContextManager[Look]]
    """Starts it in an empty directory of its own, and ends it. NotThereError if there is no such thing."""


@dataclass(frozen=True, slots=True)
class Target:
    """What our median is to be: `least` or `most`, or both."""

    least: float | None = None
    most: float | None = None
    against: str | None = None
    """The subject that it is divided by; None: the figure itself is meant."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question."""

    key: str
    """Small letters, digits and `-`; no other row has it."""
    title: str
    unit: str
    ours: Subject
    against: tuple[Subject, ...] = ()
    targets: tuple[Target, ...] = ()
    better: Literal["more", "less"] = "more"
    note: str = ""
    """What a reader must know to believe the figure: durability, sizes, what is left out."""
    runs: int | None = None
    """Samples of each subject; None: `RUNS`, or `QUICK_RUNS`."""
    limit: float = 180.0
    """Seconds after which the row is given up."""

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Ours first."""
        return (self.ours, *self.against)

    def rounds(self, quick: bool) -> int:
        """How many samples of each subject are taken."""
        return self.runs or (QUICK_RUNS if quick else RUNS)


@dataclass(frozen=True, slots=True)
class Taken:
    """All samples of one subject."""

    name: str
    samples: tuple[Sample, ...] = ()
    missing: str | None = None
    """What is missing, if there is no such subject."""

    @property
    def median(self) -> float | None:
        """Of the values; None without samples."""
        return median([sample.value for sample in self.samples])

    @property
    def spread(self) -> float | None:
        """How far the values are apart, as a share of their median; None if that tells nothing."""
        values = [sample.value for sample in self.samples]
        middle = median(values)
        return None if len(values) < 2 or not middle else (max(values) - min(values)) / middle

    def more(self) -> dict[str, float]:
        """The medians of the other figures."""
        names = dict.fromkeys(name for sample in self.samples for name in sample.more)
        found = {name: median([s.more[name] for s in self.samples if name in s.more]) for name in names}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Conditions:
    """When and how something was measured."""

    at: str
    """UTC, to the minute."""
    command: str
    load: tuple[float, float]
    """Processes that ran or wanted to, over a minute, before and behind; the last row's count too."""
    busy: tuple[float, float]
    """How much of the machine (0 to 1) others used just before and just behind, while nothing of ours ran."""
    quick: bool
    seconds: float
    machine: str
    version: str
    """Of the program, with its commit."""

    @property
    def quiet(self) -> bool:
        """Whether others left the machine alone."""
        return max(self.busy) <= QUIET


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a row. Title and note are those that it was measured with: of a quick run they differ."""

    key: str
    title: str
    note: str
    taken: tuple[Taken, ...]
    conditions: Conditions
    error: str | None = None
    """Why it was given up."""

    def of(self, name: str) -> Taken | None:
        """The samples of this subject."""
        return next((each for each in self.taken if each.name == name), None)

    @property
    def ours(self) -> Taken | None:
        """The first subject's."""
        return self.taken[0] if self.taken else None

    def ratio(self, against: str) -> float | None:
        """How many times the other's median ours is; None unless both were measured."""
        ours, other = self.ours, self.of(against)
        if ours is None or other is None or ours.median is None or not other.median:
            return None
        return ours.median / other.median

    def reached(self, target: Target) -> float | None:
        """The figure that the target is about."""
        if target.against is not None:
            return self.ratio(target.against)
        return None if self.ours is None else self.ours.median

    def met(self, target: Target) -> bool | None:
        """Whether the target is met; None if that was not measured."""
        found = self.reached(target)
        if found is None:
            return None
        enough = target.least is None or found >= target.least
        return enough and (target.most is None or found <= target.most)


def median(values: Sequence[float]) -> float | None:
    """None without values."""
    return statistics.median(values) if values else None


def interleaved(count: int, rounds: int) -> Iterator[int]:
    """The order in which `count` subjects are looked at: each once in a round, every other round backwards.

    What changes slowly on the machine meanwhile then meets all of them alike.
    """
    for number in range(rounds):
        order = range(count)
        yield from order if number % 2 == 0 else reversed(order)


def quantile(values: Sequence[float], part: float) -> float:
    """The value that `part` of all (0 to 1) do not exceed; ValueError without values."""
    if not values:
        raise ValueError("there is nothing to choose from")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
