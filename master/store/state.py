"""The live records in dicts, with the indexes that make every question cheap.

Nothing is decided here: `apply` calls the lifecycle and keeps the indexes in step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from sortedcontainers import SortedDict, SortedList

from common.model import FarmState, Job, JobStatus, Node, Now
from master import lifecycle
from master.lifecycle.events import RecordKey
from master.store.queue import Queue

ListingKey = tuple[int, int]
"""Unfinished jobs come first, oldest first; then the finished ones, newest first."""


def listing_key(job: Job) -> ListingKey:
    """The place of `job` in listings. It moves once only: when the job is finished."""
    return (1, -job.seq) if job.status.final else (0, job.seq)


class State:
    """All records, and where to find them."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.nodes: dict[str, Node] = {}
        self.farm = FarmState()
        self.history = 0
        """How many events led here, since the beginning."""
        self.queue = Queue()
        self.last_seq = 0
        self._listing: SortedDict = SortedDict()
        self._by_status: dict[JobStatus, SortedDict] = {status: SortedDict() for status in JobStatus}
        self._with_result: SortedDict = SortedDict()
        self._finished: SortedList = SortedList()  # (finished at, seq, job id)
        self._held: defaultdict[str, set[str]] = defaultdict(set)
        self._by_credential: dict[str, str] = {}
        self._by_key: dict[str, tuple[str, ...]] = {}

    def record(self, key: RecordKey) -> lifecycle.Record | None:
        """The record with this key."""
        kind, identifier = key
        if kind is FarmState:
            return self.farm
        return self.jobs.get(identifier) if kind is Job else self.nodes.get(identifier)

    def put(self, key: RecordKey, record: lifecycle.Record | None, now: Now) -> None:
        """Replace a record, or remove it (None). `now` starts the clock of a backoff."""
        kind, identifier = key
        if isinstance(record, FarmState):
            self.farm = record
        elif isinstance(record, Job):
            self._put_job(self.jobs.get(record.id), record, now)
        elif kind is Job:
            self._remove_job(self.jobs[identifier])
        else:
            self._put_node(self.nodes.get(identifier), record)

    def count(self, status: JobStatus | None = None) -> int:
        """How many jobs there are, in all or with one status."""
        return len(self.jobs) if status is None else len(self._by_status[status])

    def held(self, node_id: str) -> tuple[Job, ...]:
        """The jobs that run on a node, oldest first."""
        return tuple(sorted((self.jobs[i] for i in self._held.get(node_id, ())), key=lambda job: job.seq))

    def running(self) -> Iterable[Job]:
        """Every job that holds a lease."""
        return [self.jobs[job_id] for job_id in self._by_status[JobStatus.RUNNING].values()]

    def node_with_credential(self, digest: str) -> Node | None:
        """The node whose credential has this SHA-256."""
        node_id = self._by_credential.get(digest)
        return None if node_id is None else self.nodes.get(node_id)

    def by_key(self, key: str) -> list[Job]:
        """The jobs that were submitted with this `Idempotency-Key`, in the order of their submission."""
        return [self.jobs[job_id] for job_id in self._by_key.get(key, ())]

    def page(self, status: JobStatus | None, after: ListingKey | None, limit: int) -> list[Job]:
        """Up to `limit` jobs behind `after`, in listing order."""
        return self._page(self._listing if status is None else self._by_status[status], after, limit)

    def results_page(self, after: ListingKey | None, limit: int) -> tuple[list[Job], int]:
        """Up to `limit` completed and failed jobs, newest first, and how many there are in all."""
        return self._page(self._with_result, after, limit), len(self._with_result)

    def finished_before(self, moment: datetime, limit: int) -> tuple[list[Job], int]:
        """Up to `limit` jobs that were finished before `moment`, oldest first, and how many there are."""
        count = self._finished.bisect_left((moment,))
        return [self.jobs[job_id] for *_, job_id in self._finished[: min(limit, count)]], count

    def _page(self, index: SortedDict, after: ListingKey | None, limit: int) -> list[Job]:
        keys: Iterator[ListingKey] = index.irange(minimum=after, inclusive=(False, True))
        return [self.jobs[index[key]] for key in islice(keys, limit)]

    def _put_job(self, old: Job | None, new: Job, now: Now) -> None:
        self.jobs[new.id] = new
        self.last_seq = max(self.last_seq, new.seq)
        if old is not None:
            self._unindex(old)
        key = listing_key(new)
        self._listing[key] = self._by_status[new.status][key] = new.id
        if new.status in (JobStatus.COMPLETED, JobStatus.FAILED):
            self._with_result[key] = new.id
        if new.finished_at is not None:
            self._finished.add((new.finished_at, new.seq, new.id))
        if old is None and new.idempotency_key is not None:
            self._by_key[new.idempotency_key] = (*self._by_key.get(new.idempotency_key, ()), new.id)
        if new.lease is not None:
            self._held[new.lease.node_id].add(new.id)
        if new.status is JobStatus.PENDING:
            self.queue.put(new, now)

    def _remove_job(self, old: Job) -> None:
        self._unindex(old)
        self._with_result.pop(listing_key(old), None)
        del self.jobs[old.id]
        if old.idempotency_key is not None:
            others = tuple(i for i in self._by_key[old.idempotency_key] if i != old.id)
            self._by_key[old.idempotency_key] = others
            if not others:
                del self._by_key[old.idempotency_key]

    def _unindex(self, old: Job) -> None:
        key = listing_key(old)
        del self._listing[key]
        del self._by_status[old.status][key]
        if old.finished_at is not None:
            self._finished.remove((old.finished_at, old.seq, old.id))
        if old.lease is not None:
            self._held[old.lease.node_id].discard(old.id)
        if old.status is JobStatus.PENDING:
            self.queue.remove(old)

    def _put_node(self, old: Node | None, new: Node | None) -> None:
        if old is not None:
            self._by_credential.pop(old.credential_hash or "", None)
        if new is None:
            assert old is not None  # noqa: S101 - only a known node can be removed
            del self.nodes[old.id]
            self._held.pop(old.id, None)
            return
        self.nodes[new.id] = new
        if new.credential_hash is not None:
            self._by_credential[new.credential_hash] = new.id
