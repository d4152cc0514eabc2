"""From records to rows, and back. Pure: nothing here asks the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from common.model import Constraints, FarmState, Job, JobStatus, Node, Now, Token, Webhook
from master.lifecycle import Record
from master.store import codec
from master.store.formats import FORMAT
from master.store.listings import listing_key

Kept = TypeVar("Kept", Job, Node, Token, Webhook, FarmState)


@dataclass(frozen=True, slots=True)
class Row(Generic[Kept]):
    """A record as it was read."""

    record: Kept
    version: int
    """It is one more after each change: who changes a record says which version it saw."""


@dataclass(frozen=True, slots=True)
class JobRow(Row[Job]):
    """A job, with what its record does not say."""

    head_id: str
    linked: bool
    ready_at: datetime | None
    kind: int

    def ready_in(self, now: Now) -> float:
        """Seconds that its backoff still lasts."""
        return 0.0 if self.ready_at is None else max(0.0, (self.ready_at - now.wall).total_seconds())


COLUMNS = "version, format, record"
"""Of every table of records, as `row` takes them."""
JOB_COLUMNS = "version, format, record, head_id, linked, ready_at, kind"
"""Of jobs, as `job_row` takes them."""


def text_of(record: Record) -> str:
    """A record as it is kept."""
    return codec.encode_record(record).decode()


def row(found: tuple[Any, ...], kind: type[Kept]) -> Row[Kept]:
    """A row with `COLUMNS`. `CodecError` if a newer program wrote it."""
    version, written, text = found
    record = codec.decode_record(text, written)
    assert isinstance(record, kind)  # noqa: S101 - each kind has a table of its own
    return Row(record, version)


def job_row(found: tuple[Any, ...]) -> JobRow:
    """A row with `JOB_COLUMNS`."""
    version, written, text, head_id, linked, ready_at, kind = found
    record = codec.decode_record(text, written)
    assert isinstance(record, Job)  # noqa: S101 - that is what is in the table
    return JobRow(record, version, head_id, linked, ready_at, kind)


def is_linked(job: Job) -> bool:
    """Whether rules about the job look at other jobs, as far as it says so itself."""
    return bool(job.parent_id or job.parts or job.depends_on)


def ready_at(job: Job, now: Now) -> datetime | None:
    """When the backoff of a job ends that has just come to wait; None: it has none."""
    if not job.waits_for_a_node or job.retry_delay <= 0:
        return None
    return now.wall + timedelta(seconds=job.retry_delay)


def has_result(job: Job) -> bool:
    """Whether it is among the results: what a twin has made counts once, as the twin's."""
    return job.status in (JobStatus.COMPLETED, JobStatus.FAILED) and not job.is_by_twin


JOB_VALUES = (
    "id",
    "seq",
    "status",
    "final",
    "listed",
    "owner",
    "parent_id",
    "head_id",
    "linked",
    "priority",
    "place",
    "kind",
    "waits",
    "ready_at",
    "node_id",
    "finished_at",
    "has_result",
    "idempotency_key",
    "retry_of",
    "format",
    "record",
)
"""The columns of a job that follow from its record."""


def job_values(job: Job, kind: int, head_id: str, now: Now) -> dict[str, Any]:
    """What is in `JOB_VALUES`; `linked` as far as the job says so itself."""
    final, listed = listing_key(job)
    return {
        "id": job.id,
        "seq": job.seq,
        "status": job.status.value,
        "final": bool(final),
        "listed": listed,
        "owner": job.owner,
        "parent_id": job.parent_id,
        "head_id": head_id,
        "linked": is_linked(job),
        "priority": job.priority.rank,
        "place": job.turn[0],
        "kind": kind,
        "waits": job.waits_for_a_node,
        "ready_at": ready_at(job, now),
        "node_id": None if job.lease is None else job.lease.node_id,
        "finished_at": job.finished_at,
        "has_result": has_result(job),
        "idempotency_key": job.idempotency_key,
        "retry_of": job.retry_of,
        "format": FORMAT,
        "record": text_of(job),
    }


CHANGING = (
    "status",
    "final",
    "listed",
    "waits",
    "ready_at",
    "node_id",
    "finished_at",
    "has_result",
    "format",
    "record",
)
"""Columns of a job that change while it lives; all others are written once, but for `linked`."""


def wanted_text(wanted: Constraints) -> str:
    """What jobs of a kind ask of a node, in one way only."""
    return codec.encode_value(wanted, Constraints)


def wanted_from(text: str) -> Constraints:
    """The same, read back."""
    found: Constraints = codec.decode_value(text, Constraints)
    return found


def tallied(row: JobRow) -> list[str]:
    """The sorts that a job is counted in."""
    job = row.record
    part = int(job.parent_id is not None)
    names = [count_name(job.status, None, part)]
    if job.owner is not None:
        names.append(count_name(job.status, job.owner, part))
    if has_result(job):
        names.append(result_name(None, part))
        if job.owner is not None:
            names.append(result_name(job.owner, part))
    if job.waits_for_a_node:
        names.append(f"waits:{job.priority.rank}")
        if row.ready_at is None:
            names.append(kind_name(row.kind))
    return names


def count_name(status: JobStatus, owner: str | None, part: int) -> str:
    """What counts jobs with a status; of all owners, or of one; whole ones (0) or parts (1)."""
    return f"{status.value}:{part}" if owner is None else f"{status.value}:{part}:{owner}"


def result_name(owner: str | None, part: int) -> str:
    """What counts results, likewise."""
    return f"result:{part}" if owner is None else f"result:{part}:{owner}"


def kind_name(kind: int) -> str:
    """What counts the jobs of a kind that a node could get now."""
    return f"kind:{kind}"


def changed(before: Iterable[str], after: Iterable[str]) -> dict[str, int]:
    """What is to be added to each count when jobs were in the one and are in the other."""
    sums = Counter(after)
    sums.subtract(Counter(before))
    return {name: n for name, n in sums.items() if n}
