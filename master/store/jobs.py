"""The jobs by id: those that only wait are packed, all others are records.

A farm may have a million jobs that wait, and nothing ever happened to. As a record such a job takes more than
a kilobyte, and the garbage collector looks at each. Packed it is a few hundred bytes in one piece: what
was asked for, as MessagePack. Whoever looks at it gets the record, made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar, overload

import msgspec

from common.model import Confidence, Constraints, Job, Priority, Value

Other = TypeVar("Other")


class Needs(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """`Constraints`, without names of fields."""

    labels: tuple[tuple[str, str], ...]
    encoders: tuple[str, ...]
    gpu: bool
    input: str | None
    output: str | None
    alone: bool
    protocol: int


class Asked(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What was asked for: those fields of a job that are not as in every other that only waits."""

    seq: int
    scenario: str
    confidence: Confidence
    parameters: Mapping[str, Value]
    priority: Priority
    constraints: Needs
    created_at: datetime
    max_attempts: int
    input: str | None
    output: str | None
    owner: str | None
    idempotency_key: str | None
    request_digest: str | None
    request_id: str | None


_ASKED = Asked.__struct_fields__
_needs = attrgetter(*Needs.__struct_fields__)
_others = attrgetter(*(each.name for each in fields(Job) if each.name not in ("id", *_ASKED)))
_WAITING = tuple(
    each.default for each in fields(Job) if each.name not in ("id", *_ASKED) and each.default is not MISSING
)
"""What all other fields are while a job only waits."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Asked).decode


def only_waits(job: Job) -> bool:
    """Whether nothing is known of `job` but what was asked for."""
    others: tuple[object, ...] = _others(job)
    return others == _WAITING


def pack(job: Job) -> bytes | None:
    """All of a job that only waits, but its id; None if something in it cannot be packed."""
    try:
        return pack_values(job, Needs(*_needs(job.constraints)))
    except (OverflowError, UnicodeEncodeError, ValueError):
        return None  # a number that is too large, or half of a character: it stays a record


def pack_values(job: Any, constraints: Needs) -> bytes:
    """The same of a job, or of whatever has its fields; ValueError or OverflowError if that cannot be."""
    return _encode(
        (
            job.seq, job.scenario, job.confidence, job.parameters, job.priority, constraints,
            job.created_at, job.max_attempts, job.input, job.output, job.owner,
            job.idempotency_key, job.request_digest, job.request_id,
        )
    )  # fmt: skip


def unpack(job_id: str, packed: bytes) -> Job:
    """The job again."""
    asked = _decode(packed)
    return Job(
        job_id,
        asked.seq,
        asked.scenario,
        asked.confidence,
        asked.parameters,
        asked.priority,
        Constraints(*_needs(asked.constraints)),
        asked.created_at,
        asked.max_attempts,
        input=asked.input,
        output=asked.output,
        owner=asked.owner,
        idempotency_key=asked.idempotency_key,
        request_digest=asked.request_digest,
        request_id=asked.request_id,
    )


class Jobs(Mapping[str, Job]):
    """All jobs, by id and by `seq`. Single reads need no lock."""

    def __init__(self) -> None:
        self._held: dict[str, Job | bytes] = {}
        self._ids: dict[int, str] = {}
        self._newest: tuple[bytes, Job] | None = None
        """What was unpacked last: one verb looks at the same job several times."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._held)

    def __iter__(self) -> Iterator[str]:
        """Their ids, in the order in which they came."""
        return iter(self._held)

    def __contains__(self, job_id: object) -> bool:
        """Whether there is a job with this id."""
        return job_id in self._held

    def __getitem__(self, job_id: str) -> Job:
        """The job with this id; KeyError if there is none."""
        held = self._held[job_id]
        return held if isinstance(held, Job) else self._unpacked(job_id, held)

    @overload
    def get(self, job_id: str, /) -> Job | None: ...
    @overload
    def get(self, job_id: str, /, default: Job | Other) -> Job | Other: ...
    def get(self, job_id: str, /, default: Job | Other | None = None) -> Job | Other | None:
        """The job with this id, or `default`."""
        held = self._held.get(job_id)
        if held is None:
            return default
        return held if isinstance(held, Job) else self._unpacked(job_id, held)

    def at(self, seq: int) -> Job:
        """The job that was submitted as this one; KeyError if there is none."""
        return self[self._ids[seq]]

    def in_order(self) -> Iterator[Job]:
        """All of them, in the order of their submission."""
        return map(self.at, sorted(self._ids))

    def put(self, job: Job) -> None:
        """A job has come, or changed."""
        packed = pack(job) if only_waits(job) else None
        self.put_packed(job.id, job.seq, packed or job)

    def put_packed(self, job_id: str, seq: int, packed: bytes | Job) -> None:
        """The same, where it was packed elsewhere."""
        self._held[job_id] = packed
        self._ids.setdefault(seq, job_id)

    def discard(self, job: Job) -> None:
        """The job is gone."""
        del self._held[job.id]
        self._ids.pop(job.seq, None)

    def _unpacked(self, job_id: str, packed: bytes) -> Job:
        newest = self._newest
        if newest is not None and newest[0] is packed:
            return newest[1]
        job = unpack(job_id, packed)
        self._newest = packed, job
        return job
