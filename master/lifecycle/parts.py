"""What a kind of family says of itself: into what it divides a job, and what comes of the parts."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from common.inputs import parse_input
from common.model import Confidence, Constraints, Job, Report, Stage, Value, Window

Able = Callable[[Constraints], int]
"""How many of the nodes that are there could run what has these constraints."""
MAX_WARNINGS = 100
"""Warnings in the result of a job that was divided."""
_PARTS = uuid.UUID("7b1c4f0e-6c0f-5f0a-9d8e-0d9d3a6f2c11")
"""The name space of the ids of parts (RFC 9562, version 5): a constant, made once at random."""


def part_id(parent_id: str, name: str) -> str:
    """The id of a part: it follows from its parent's, so that deciding stays pure."""
    return str(uuid.uuid5(_PARTS, f"{parent_id}/{name}"))


@dataclass(frozen=True, slots=True)
class Part:
    """What a part does; all else is its parent's."""

    name: str
    """Letters, digits and `._-`, the first no sign: also its directory below the parent's output."""
    parameters: Mapping[str, Value]
    """All of them."""
    stage: Stage = Stage.ENCODE
    window: Window | None = None
    """The frames that it encodes, where it is a chunk."""
    input: str | None = None
    """What it reads, if not what its parent does."""
    output: str | None = None
    """Where what it makes goes, if not below its parent's output."""
    after: tuple[str, ...] = ()
    """The names of the parts that have to be completed before it begins."""


class NotDividedError(ValueError):
    """The job is better not divided; the message is a sentence that says why."""


_OF_A_SPLIT = (Stage.LOOK, Stage.CHUNK, Stage.SOUND)


def confidence_of(parent: Job, stage: Stage) -> Confidence:
    """How sure the measurement of a part must be. Of a probe, which is not timed, nothing is said."""
    return Confidence.AUTO if stage is Stage.PROBE else parent.confidence


def needs_of(parent: Job, stage: Stage, input_: str | None = None) -> Constraints:
    """What a part needs of its node: a probe has no output, and need not run alone, as it is not timed.

    Nor need what is made of a chunk; that goes to the file store, and its input may be there as well.
    """
    wanted = parent.constraints
    if input_ is not None:
        wanted = replace(wanted, input=parse_input(input_).place)
    return replace(wanted, output=None, alone=False) if stage in (Stage.PROBE, *_OF_A_SPLIT) else wanted


def queued(parts: Sequence[Part]) -> Sequence[Part]:
    """The parts in the order in which they go into the queue.

    Those of a split: what others wait for, then the sound, which is one piece, then the chunks; the most
    work first, so that little is left at the end.
    """
    if not any(part.stage in _OF_A_SPLIT for part in parts):
        return parts
    turn = {Stage.LOOK: 0, Stage.SOUND: 1, Stage.CHUNK: 2}

    def place(part: Part) -> tuple[int, int, int]:
        window = part.window
        size = (0, 0) if window is None else (-(window.end - window.first), -window.work)
        return (turn[part.stage], *size)

    return sorted(parts, key=place)


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to divide a job: either after a node has looked at the input, or when it is submitted."""

    joined: Callable[[Job, Sequence[Job], Report, datetime], Report]
    """The job's final report, from its completed parts and the report of its own last attempt, which is made
    now; of a job that was not divided after all, without parts."""
    divide: Callable[[Job, Report], Sequence[Part]] | None = None
    """The parts of a job, from the report of its plan. `NotDividedError`: it is encoded whole; ValueError,
    with a sentence: there can be none."""
    at_submit: Callable[[Job, Able], Sequence[Part]] | None = None
    """The parts that are known at once. None: it is better not divided."""
