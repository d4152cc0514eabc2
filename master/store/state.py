"""The live records in dicts, with the indexes that make every question cheap.

Nothing is decided here: `apply` calls the lifecycle and keeps the indexes in step.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice, takewhile
from typing import TypeVar

from common.model import Constraints, FarmState, Job, JobStatus, Node, Now, Priority, Token, Webhook
from master import lifecycle
from master.lifecycle.events import RecordKey
from master.store.chains import Chains
from master.store.holdings import Holdings
from master.store.jobs import Jobs
from master.store.listings import Families, ListingKey, Listings
from master.store.ordered import Ordered
from master.store.places import ListingName, is_bound, kinds, listed, places, results
from master.store.plain import Plain
from master.store.queue import Queue
from master.store.recent import Recent
from master.store.references import References

Place = TypeVar("Place", bound=tuple[object, ...])


def _finish(job: Job) -> tuple[datetime | None, int, str]:
    """The place of a finished job among those that wait to become old."""
    return (job.finished_at, job.seq, job.id)


def _digests(node: Node | None) -> set[str]:
    """The SHA-256 of each credential that the node is known by."""
    digests = () if node is None else (node.credential_hash, node.replaced_hash)
    return {digest for digest in digests if digest is not None}


def _but(some: list[Place], others: list[Place]) -> list[Place]:
    """Those of a few that are not among a few others: sets cost more."""
    return [each for each in some if each not in others]


def _refers_alike(old: Job | None, new: Job | None) -> bool:
    """Whether both name the same files: most changes of a job concern none."""
    return old is not None and new is not None and old.input == new.input and old.findings is new.findings


def _runs_on(job: Job | None, node_id: str) -> bool:
    return job is not None and job.lease is not None and job.lease.node_id == node_id


class State:
    """All records, and where to find them."""

    def __init__(self) -> None:
        self.jobs = Jobs()
        self.nodes: dict[str, Node] = {}
        self.tokens: dict[str, Token] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.farm = FarmState()
        self.history = 0
        """How many events led here, since the beginning."""
        self.queue = Queue()
        self.references = References()
        self.last_seq = 0
        self.reasons: dict[Constraints, str] = {}
        """By constraints: why such jobs wait, as far as somebody asked since a node, or the farm, changed."""
        self._ids: Ordered[str] = Ordered()  # of jobs, in the order of the alphabet
        self._listings: Listings[ListingName] = Listings()
        self._with_result: Listings[tuple[str | None, bool]] = Listings()  # by owner, and if parts
        self._finished: Ordered[tuple[object, ...]] = Ordered()  # (finished at, seq, job id)
        self._held = Holdings()
        self._by_credential: dict[str, tuple[str, ...]] = {}
        self._by_secret: dict[str, str] = {}
        self._by_key: dict[str, str | tuple[str, ...]] = {}  # one job, or the jobs of a batch
        self._bound: set[str] = set()  # unfinished jobs that are parts, or wait for others
        self._families = Families()
        self.chains = Chains(self.jobs)
        self.recent = Recent()

    def record(self, key: RecordKey) -> lifecycle.Record | None:
        """The record with this key."""
        kind, identifier = key
        if kind is Job:
            return self.jobs.get(identifier)
        if kind is FarmState:
            return self.farm
        if kind is Token:
            return self.tokens.get(identifier)
        if kind is Webhook:
            return self.webhooks.get(identifier)
        return self.nodes.get(identifier)

    def put(self, key: RecordKey, record: lifecycle.Record | None, now: Now) -> None:
        """Replace a record, or remove it (None). `now` starts the clock of a backoff."""
        kind, identifier = key
        if isinstance(record, Job):
            self._put_job(self.jobs.get(record.id), record, now)
        elif isinstance(record, FarmState):
            self.farm = record
            self.reasons.clear()
        elif isinstance(record, Token):
            self.tokens[record.id] = record
            self._by_secret[record.secret_hash] = record.id
        elif kind is Token:
            del self._by_secret[self.tokens.pop(identifier).secret_hash]
        elif isinstance(record, Webhook):
            self.webhooks[record.id] = record
        elif kind is Webhook:
            del self.webhooks[identifier]
        elif kind is Job:
            self._remove_job(self.jobs[identifier])
        else:
            self._put_node(self.nodes.get(identifier), record)

    def count(self, status: JobStatus | None = None, owner: str | None = None, *, whole: bool = False) -> int:
        """How many jobs there are, in all or with one status, or of one owner; `whole`: without parts."""
        return self._listings.count(listed(owner, status, whole=whole))

    def waiting(self, priority: Priority) -> tuple[int, Job | None]:
        """How many jobs of a priority wait for a node, and which of them was submitted first."""
        depth, first = self.queue.waiting(priority)
        return depth, None if first is None else self.jobs.at(first)

    def held(self, node_id: str) -> tuple[Job, ...]:
        """The jobs that run on a node, oldest first."""
        return self._held.of(node_id)

    def running(self) -> Iterable[Job]:
        """Every job that holds a lease."""
        return self.page(JobStatus.RUNNING, None, None)

    def running_parts(self) -> list[Job]:
        """Of these, the parts of other jobs: without a look at any that is none."""
        return [self.jobs.at(seq) for seq in self._listings.page([(None, JobStatus.RUNNING, True)])]

    def bound(self) -> list[Job]:
        """Every unfinished job that is a part of another, or waits for others, in the order of submission."""
        return sorted((self.jobs[job_id] for job_id in self._bound), key=lambda job: job.seq)

    def node_with_credential(self, digest: str) -> Node | None:
        """The node whose credential, or whose replaced one, has this SHA-256."""
        node_ids = self._by_credential.get(digest)
        return None if node_ids is None else self.nodes.get(node_ids[-1])

    def token_with_secret(self, digest: str) -> Token | None:
        """The token whose secret has this SHA-256."""
        token_id = self._by_secret.get(digest)
        return None if token_id is None else self.tokens.get(token_id)

    def by_key(self, key: str) -> list[Job]:
        """The jobs that were submitted with this `Idempotency-Key`, in the order of their submission."""
        found = self._by_key.get(key, ())
        return [self.jobs[job_id] for job_id in ((found,) if isinstance(found, str) else found)]

    def children(self, job_id: str) -> list[Job]:
        """The parts of a job, in the order of their submission."""
        parts = (self.jobs[part_id] for part_id in self._families.parts(job_id))
        return sorted(parts, key=lambda job: job.seq)

    def head(self, job: Job) -> Job:
        """The job that the whole family of `job` belongs to; a job of no family is its own."""
        while job.parent_id is not None and (parent := self.jobs.get(job.parent_id)) is not None:
            job = parent
        return job

    def family(self, job: Job) -> list[Job]:
        """The job, all that it is a part of, and all their parts; itself alone if it has none of these."""
        found = [self.head(job)]
        for each in found:  # it grows meanwhile
            found += self.children(each.id)
        return found

    def dependents(self, job_id: str) -> list[Job]:
        """All jobs that depend on a job, in the order of their submission."""
        names = self.chains.dependents(job_id)
        return sorted((self.jobs[each] for each in names), key=lambda job: job.seq) if names else []

    def page(
        self,
        status: JobStatus | None,
        after: ListingKey | None,
        limit: int | None,
        owner: str | None = None,
        *,
        whole: bool = False,
    ) -> list[Job]:
        """Up to `limit` jobs behind `after`, in listing order; `whole`: without parts."""
        found = self._listings.page(listed(owner, status, whole=whole), after, limit)
        return [self.jobs.at(seq) for seq in found]

    def results_page(
        self, after: ListingKey | None, limit: int, owner: str | None = None, *, whole: bool = False
    ) -> tuple[list[Job], int]:
        """Up to `limit` completed and failed jobs, newest first, and how many; `whole`: no parts."""
        names = [(owner, part) for part in kinds(whole=whole)]
        found = self._with_result.page(names, after, limit)
        return [self.jobs.at(seq) for seq in found], self._with_result.count(names)

    def finished_before(self, moment: datetime, limit: int) -> tuple[list[Job], int]:
        """Up to `limit` jobs that were finished before `moment`, oldest first, and how many there are.

        A part is none of them while its parent is there: it goes with that. Nor is one that unfinished jobs
        depend on.
        """
        finished = self._finished.settled()
        old = islice(finished, finished.bisect_left((moment,)))
        kept = sum(self._is_old(head_id, moment) for head_id in self.chains.kept())
        count = finished.bisect_left((moment,)) - kept
        leaving = (job_id for *_, job_id in old if not self.chains.keeps(job_id))
        return [self.jobs[job_id] for job_id in islice(leaving, limit)], count

    def _is_old(self, job_id: str, moment: datetime) -> bool:
        """Whether the job, with which its parts would leave, was finished before `moment`."""
        job = self.jobs.get(job_id)
        return job is not None and job.finished_at is not None and job.finished_at < moment

    def finished_last(self, limit: int) -> list[Job]:
        """Up to `limit` finished jobs, the last one first; parts are with their parents."""
        return [self.jobs[job_id] for *_, job_id in islice(reversed(self._finished.settled()), limit)]

    def beginning_with(self, prefix: str) -> list[Job]:
        """The jobs whose ids begin so, in the order of their ids."""
        found = takewhile(lambda job_id: job_id.startswith(prefix), self._ids.above(prefix, included=True))
        return [self.jobs[job_id] for job_id in found]

    def put_plain(self, job: Plain) -> None:
        """As `put` of a new job that only waits."""
        self.jobs.put_packed(job.id, job.seq, job.packed)
        self.last_seq = max(self.last_seq, job.seq)
        self._ids.add(job.id)
        if job.input is not None:
            self.references.add_input(job.id, job.input)
        for owner in (None,) if job.owner is None else (None, job.owner):
            self._listings.add((owner, None, False), job.seq, final=False)
            self._listings.add((owner, JobStatus.PENDING, False), job.seq, final=False)
        if job.idempotency_key is not None:
            self._note_key(job.idempotency_key, job.id)
        self.queue.put_first_time(job.seq, job.priority.rank, job.owner, job.constraints)

    def settle(self) -> None:
        """Much has come: sort it in, so that the first who asks need not wait for that."""
        self._ids.settle()
        self._listings.settle()
        self._with_result.settle()
        self.queue.settle()

    def _put_job(self, old: Job | None, new: Job, now: Now) -> None:
        self.jobs.put(new)
        self.recent.add(old, new)
        self.last_seq = max(self.last_seq, new.seq)
        if old is not None:
            self._unindex(old, new)
        else:
            self._ids.add(new.id)
        if not _refers_alike(old, new):
            self.references.add(new)
        self._list(old, new)
        self._put_into_family(old, new)
        self.chains.put(old, new)
        if old is None and new.idempotency_key is not None:
            self._note_key(new.idempotency_key, new.id)
        if new.lease is not None:
            self._held.put(new.lease.node_id, new)
        if is_bound(new):
            self._bound.add(new.id)
        if new.waits_for_a_node:
            self.queue.put(new, now)

    def _list(self, old: Job | None, new: Job | None) -> None:
        """Move a job from the listings that it was in to those that it belongs to."""
        if old is not None and new is not None and old.status is new.status:
            return
        before, after = places(old), places(new)
        for name, seq, final in _but(before, after):
            self._listings.discard(name, seq, final=final)
        for name, seq, final in _but(after, before):
            self._listings.add(name, seq, final=final)
        had, has = results(old), results(new)
        for owner, part, seq in _but(had, has):
            self._with_result.discard((owner, part), seq, final=True)
        for owner, part, seq in _but(has, had):
            self._with_result.add((owner, part), seq, final=True)

    def _note_key(self, key: str, job_id: str) -> None:
        known = self._by_key.get(key, ())
        self._by_key[key] = (*((known,) if isinstance(known, str) else known), job_id) if known else job_id

    def _forget_key(self, key: str, job_id: str) -> None:
        known = self._by_key[key]
        others = () if isinstance(known, str) else tuple(each for each in known if each != job_id)
        if others:
            self._by_key[key] = others
        else:
            del self._by_key[key]

    def _put_into_family(self, old: Job | None, new: Job) -> None:
        if old is None:
            self._families.add(new)
            for part in self.children(new.id):  # they came first
                self._finished.discard(_finish(part))
        if new.finished_at is not None and new.parent_id not in self.jobs:
            self._finished.add(_finish(new))

    def _remove_job(self, old: Job) -> None:
        self._unindex(old, None)
        self._list(old, None)
        self.jobs.discard(old)
        self._ids.discard(old.id)
        self._families.discard(old)
        self.chains.discard(old)
        for part in self.children(old.id):  # nobody else takes them along
            if part.finished_at is not None:
                self._finished.add(_finish(part))
        if old.idempotency_key is not None:
            self._forget_key(old.idempotency_key, old.id)

    def _unindex(self, old: Job, new: Job | None) -> None:
        """The job is no longer what it was; `new`: what it became."""
        if not _refers_alike(old, new):
            self.references.discard(old)
        if old.finished_at is not None:
            self._finished.discard(_finish(old))
        if old.lease is not None and not _runs_on(new, old.lease.node_id):
            self._held.discard(old.lease.node_id, old.id)
        self._bound.discard(old.id)
        if old.waits_for_a_node:
            self.queue.remove(old, given=new is not None and new.status is JobStatus.RUNNING)

    def _put_node(self, old: Node | None, new: Node | None) -> None:
        self.reasons.clear()
        # Callers are looked up without the lock: what stays valid must be found at every moment.
        if new is not None:
            self.nodes[new.id] = new
            for digest in _digests(new) - _digests(old):
                self._by_credential[digest] = (*self._by_credential.get(digest, ()), new.id)
        if old is None:
            return
        for digest in _digests(old) - _digests(new):
            self._forget_credential(digest, old.id)
        if new is None:
            del self.nodes[old.id]
            self._held.forget(old.id)
            self.recent.forget(old.id)

    def _forget_credential(self, digest: str, node_id: str) -> None:
        """Nodes may have the same credential, if somebody gave it to both by hand."""
        others = tuple(i for i in self._by_credential[digest] if i != node_id)
        if others:
            self._by_credential[digest] = others
        else:
            del self._by_credential[digest]
