"""What a kind of family says of itself: into what it divides a job, and what comes of the parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from common.model import Job, Report, Scalar, Value


@dataclass(frozen=True, slots=True)
class Part:
    """What a part does; all else is its parent's."""

    name: str
    """Letters, digits and `._-`, the first no sign: also its directory below the parent's output."""
    parameters: Mapping[str, Value]
    """All of them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to divide a job."""

    plans: bool
    """Whether a node looks at the input first; else the parts are known when the job is submitted."""
    divide: Callable[[Job, Mapping[str, Scalar]], Sequence[Part]]
    """The parts of a job, from the metrics of its plan (none where nobody looked).

    ValueError, with a sentence, if there can be none.
    """
    joined: Callable[[Job, Sequence[Job], Report], Report]
    """The job's final report, from its completed parts and the report of its join."""
