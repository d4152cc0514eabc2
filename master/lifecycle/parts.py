"""What a kind of family says of itself: into what it divides a job, and what comes of the parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from common.model import Confidence, Constraints, Job, Report, Scalar, Stage, Value

Able = Callable[[Constraints], int]
"""How many of the nodes that are there could run what has these constraints."""
MAX_WARNINGS = 100
"""Warnings in the result of a job that was divided."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a part does; all else is its parent's."""

    name: str
    """Letters, digits and `._-`, the first no sign: also its directory below the parent's output."""
    parameters: Mapping[str, Value]
    """All of them."""
    stage: Stage = Stage.ENCODE


def confidence_of(parent: Job, stage: Stage) -> Confidence:
    """How sure the measurement of a part must be. Of a probe, which is not timed, nothing is said."""
    return Confidence.AUTO if stage is Stage.PROBE else parent.confidence


def needs_of(parent: Job, stage: Stage) -> Constraints:
    """What a part needs of its node: a probe has no output, and need not run alone, as it is not timed."""
    wanted = parent.constraints
    return replace(wanted, output=None, alone=False) if stage is Stage.PROBE else wanted


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to divide a job: either after a node has looked at the input, or when it is submitted."""

    joined: Callable[[Job, Sequence[Job], Report], Report]
    """The job's final report, from its completed parts and the report of its own last attempt."""
    divide: Callable[[Job, Mapping[str, Scalar]], Sequence[Part]] | None = None
    """The parts of a job, from the metrics of its plan. ValueError, with a sentence, if there can be none."""
    at_submit: Callable[[Job, Able], Sequence[Part]] | None = None
    """The parts that are known at once. None: it is better not divided."""
