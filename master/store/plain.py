"""Jobs that only wait, read from snapshot and journal without a detour: of these there may be a million.

They go from their JSON to what `master.store.jobs` holds, and no record is made. All else, and whatever is
not exactly as this program writes it, is left to `master.store.codec`, which knows older formats too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from common.model import Confidence, Constraints, Priority, Value
from master.store import formats
from master.store.jobs import Needs, pack_values


class NeedsAsJson(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """`Constraints` as JSON: what is as usual is left out."""

    labels: tuple[tuple[str, str], ...] = ()
    encoders: tuple[str, ...] = ()
    gpu: bool = False
    input: str | None = None
    output: str | None = None
    alone: bool = False
    protocol: int = 0


class Asked(
    msgspec.Struct,
    frozen=True,
    gc=False,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="record",
    tag="Job",
):
    """A job as JSON, with no more than what was asked for; anything else is refused, so it is no such job."""

    id: str
    seq: int
    scenario: str
    confidence: Confidence
    parameters: Mapping[str, Value]
    priority: Priority
    constraints: NeedsAsJson
    created_at: datetime
    max_attempts: int
    input: str | None = None
    output: str | None = None
    owner: str | None = None
    idempotency_key: str | None = None
    request_digest: str | None = None
    request_id: str | None = None


class AskedInEvent(Asked, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True, tag=False):
    """The same in an event, where it does not say what it is."""


class Submitted(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The event `JobSubmitted`."""

    job: AskedInEvent
    at: datetime
    event: Literal["JobSubmitted"]


class _Transaction(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A transaction that only submits."""

    events: list[Submitted]
    by: str
    address: str | None = msgspec.field(default=None, name="from")


class Plain(NamedTuple):
    """A job that only waits, as it is held in memory, and what it is found by."""

    id: str
    packed: bytes
    seq: int
    priority: Priority
    constraints: Constraints
    input: str | None
    owner: str | None
    idempotency_key: str | None


class PlainReader:
    """Reads them; what many have in common is made once."""

    def __init__(self) -> None:
        self._record = msgspec.json.Decoder(Asked).decode
        self._transaction = msgspec.json.Decoder(_Transaction).decode
        self._kinds: dict[NeedsAsJson, tuple[Needs, Constraints]] = {}
        self._owners: dict[str, str] = {}

    def record(self, payload: bytes, written: int) -> Plain | None:
        """The job of a snapshot's frame; None if it is anything else."""
        if written != formats.FORMAT:
            return None
        try:
            return self._plain(self._record(payload))
        except (msgspec.MsgspecError, OverflowError, ValueError):
            return None

    def submitted(self, payload: bytes, written: int) -> Sequence[Plain] | None:
        """The jobs of a journal's record that submits such jobs only; None if it is anything else."""
        if written != formats.FORMAT:
            return None
        try:
            return [self._plain(each.job) for each in self._transaction(payload).events]
        except (msgspec.MsgspecError, OverflowError, ValueError):
            return None

    def _plain(self, asked: Asked) -> Plain:
        needs, constraints = self._kind(asked.constraints)
        return Plain(
            asked.id,
            pack_values(asked, needs),
            asked.seq,
            asked.priority,
            constraints,
            asked.input,
            None if asked.owner is None else self._owners.setdefault(asked.owner, asked.owner),
            asked.idempotency_key,
        )

    def _kind(self, found: NeedsAsJson) -> tuple[Needs, Constraints]:
        kind = self._kinds.get(found)
        if kind is None:
            values = msgspec.structs.astuple(found)
            kind = self._kinds[found] = Needs(*values), Constraints(*values)
        return kind
