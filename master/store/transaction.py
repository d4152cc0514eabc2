"""A transaction of the store in memory: what a verb may ask of it, and the one way to change it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from common.model import Actor, FarmState, Job, JobStatus, Node, Now, Priority, Token, Webhook
from common.problems import UNAVAILABLE
from master import lifecycle, scheduler
from master.lifecycle.events import Event
from master.store import codec, journal, snapshot
from master.store.gathered import Gathered
from master.store.interface import Held
from master.store.listings import ListingKey
from master.store.recent import Ended
from master.store.state import State
from master.store.told import Told, owners_in

if TYPE_CHECKING:
    pass

MOST_REASONS = 10_000
"""Kinds of jobs for which it is remembered why they wait."""


class StoredLinks:
    """`master.lifecycle.view.Links` of a state; to be used under the lock."""

    def __init__(self, state: State) -> None:
        self._state = state

    def job(self, job_id: str) -> Job | None:
        """The job with this id."""
        return self._state.jobs.get(job_id)

    def dependents(self, job_id: str) -> Sequence[Job]:
        """The unfinished jobs that depend on a job, in the order of their submission."""
        return [job for job in self._state.dependents(job_id) if not job.status.final]

    def unmet(self, job_id: str) -> int:
        """How many of the jobs that a waiting job depends on are not completed."""
        return self._state.chains.unmet(job_id)

    def family(self, job_id: str) -> Sequence[Job]:
        """All jobs of the family that a job belongs to; empty if it belongs to none."""
        job = self._state.jobs.get(job_id)
        return self._state.family(job) if job is not None and (job.parts or job.parent_id) else ()


class Transaction:
    """What a verb may ask of the store, and the one way to change it."""

    def __init__(self, state: State, journal_: journal.Journal, now: Now, actor: Actor) -> None:
        self._actor = actor
        self._state = state
        self._journal = journal_
        self.now = now
        self.events: list[Event] = []
        self._gathered: Gathered | None = None
        self._owners: dict[str, str | None] = {}
        self._before = state.history

    def hold(self, records: Sequence[Held]) -> list[Held]:
        """The records: they are as they are now, since nobody else is let in."""
        return list(records)

    def reserve(self, _job: Job) -> bool:
        """True, for the same reason."""
        return True

    def job(self, job_id: str) -> Job | None:
        """The job with this id."""
        return self._state.jobs.get(job_id)

    def farm(self) -> FarmState:
        """What holds for the whole farm."""
        return self._state.farm

    def history(self) -> int:
        """How many events were recorded since the beginning."""
        return self._state.history

    def by_key(self, key: str) -> list[Job]:
        """The jobs that were submitted with this `Idempotency-Key`."""
        return self._state.by_key(key)

    def children(self, job_id: str) -> list[Job]:
        """The parts of a job, in the order of their submission."""
        return self._state.children(job_id)

    def head(self, job: Job) -> Job:
        """The job that the whole family of `job` belongs to; a job of no family is its own."""
        return self._state.head(job)

    def dependents(self, job_id: str) -> list[Job]:
        """All jobs that depend on a job, in the order of their submission."""
        return self._state.dependents(job_id)

    def awaited(self, job: Job, limit: int) -> tuple[list[Job], int]:
        """Up to `limit` of the jobs that a waiting job depends on and that are not completed; the number."""
        known = (self._state.jobs.get(each) for each in job.depends_on)
        unfinished = (each for each in known if each is not None and each.status is not JobStatus.COMPLETED)
        return list(islice(unfinished, limit)), self._state.chains.unmet(job.id)

    def is_kept(self, job: Job) -> bool:
        """Whether an unfinished job depends on this one, or on one of its parts."""
        return self._state.chains.keeps(job.id)

    def retries(self, job_id: str) -> list[Job]:
        """All jobs that repeat a job, those that repeat these, and so on, in the order of submission."""
        found = [self._state.jobs[each] for each in self._state.chains.retries(job_id)]
        for each in found:  # it grows meanwhile
            found += (self._state.jobs[again] for again in self._state.chains.retries(each.id))
        return sorted(found, key=lambda job: job.seq)

    def links(self) -> StoredLinks:
        """Which jobs depend on which, for the rules."""
        return StoredLinks(self._state)

    def beginning_with(self, prefix: str) -> list[Job]:
        """The jobs whose ids begin so."""
        return self._state.beginning_with(prefix)

    def family(self, *jobs: Job) -> tuple[Job, ...]:
        """All jobs of the families that `jobs` belong to; empty if none of them belongs to one."""
        found = {
            each.id: each
            for job in jobs
            if job.parent_id is not None or job.parts
            for each in self._state.family(job)
        }
        return tuple(found.values())

    def bound(self) -> list[Job]:
        """The unfinished jobs that are parts of others, or wait for others."""
        return self._state.bound()

    def node(self, node_id: str) -> Node | None:
        """The node with this id."""
        return self._state.nodes.get(node_id)

    def nodes(self) -> list[Node]:
        """All nodes, in the order of their registration."""
        return list(self._state.nodes.values())

    def token(self, token_id: str) -> Token | None:
        """The token with this id."""
        return self._state.tokens.get(token_id)

    def tokens(self) -> list[Token]:
        """All tokens, in the order in which they were made."""
        return list(self._state.tokens.values())

    def webhook(self, webhook_id: str) -> Webhook | None:
        """The webhook with this id."""
        return self._state.webhooks.get(webhook_id)

    def webhooks(self) -> list[Webhook]:
        """All webhooks, in the order in which they were made."""
        return list(self._state.webhooks.values())

    def held(self, node_id: str) -> tuple[Job, ...]:
        """The jobs that run on a node."""
        return self._state.held(node_id)

    def recent(self, node_id: str) -> list[Ended]:
        """The newest attempts that ended on a node, newest first."""
        return self._state.recent.of(node_id)

    def standings(self) -> Iterator[tuple[Node, tuple[Job, ...]]]:
        """All nodes, each with the jobs that run on it."""
        return ((node, self._state.held(node.id)) for node in self._state.nodes.values())

    def running(self) -> list[Job]:
        """All jobs that run."""
        return list(self._state.running())

    def running_parts(self) -> list[Job]:
        """Of these, the parts of other jobs."""
        return self._state.running_parts()

    def candidates(self, node: Node, but_of: Collection[str] = ()) -> Iterator[Job]:
        """Pending jobs that `node` meets the constraints of: the first of each kind, in their order.

        `but_of`: jobs whose parts are left out.
        """
        jobs = self._state.jobs
        leave_out = (lambda seq: jobs.at(seq).parent_id in but_of) if but_of else None
        return (jobs.at(seq) for seq in self._state.queue.heads(node, leave_out))

    def reason(self, job: Job) -> str:
        """Why `job` waits, which has no backoff: the same for all jobs with its constraints.

        With ten thousand nodes it takes milliseconds to find out. It is found once for as long as no node
        and nothing of the farm has changed.
        """
        reasons, wanted = self._state.reasons, job.constraints
        reason = reasons.get(wanted)
        if reason is None:
            if len(reasons) >= MOST_REASONS:
                reasons.clear()
            nodes = self._state.nodes.values()
            reason = scheduler.pending_reason(job, nodes, 0.0, paused=self._state.farm.paused)
            reasons[wanted] = reason
        return reason

    def released(self) -> list[Job]:
        """Jobs whose backoff ended just now."""
        return self._state.queue.release(self._state.jobs, self.now)

    def waiting(self, priority: Priority) -> tuple[int, Job | None]:
        """How many jobs of a priority wait for a node, and which of them was submitted first."""
        return self._state.waiting(priority)

    def kinds(self, limit: int) -> list[tuple[Job, int]]:
        """Up to `limit` kinds of jobs that wait without a backoff: the first of each, and how many."""
        return [(self._state.jobs.at(seq), count) for seq, count in self._state.queue.kinds(limit)]

    def finished_last(self, limit: int) -> list[Job]:
        """Up to `limit` finished jobs, the last one first; parts are with their parents."""
        return self._state.finished_last(limit)

    def ready_in(self, job_id: str) -> float:
        """Seconds that a pending job's backoff still lasts."""
        return self._state.queue.ready_in(job_id, self.now)

    def page(
        self,
        status: JobStatus | None,
        after: ListingKey | None,
        limit: int,
        owner: str | None = None,
        *,
        whole: bool = False,
    ) -> list[Job]:
        """Jobs in listing order; of one owner, if there is one; `whole`: without parts."""
        return self._state.page(status, after, limit, owner, whole=whole)

    def results_page(
        self, after: ListingKey | None, limit: int, owner: str | None = None, *, whole: bool = False
    ) -> tuple[list[Job], int]:
        """Completed and failed jobs, newest first, and how many there are; of one owner, if there is one.

        `whole`: without parts.
        """
        return self._state.results_page(after, limit, owner, whole=whole)

    def finished_before(self, moment: datetime, limit: int) -> tuple[list[Job], int]:
        """Jobs that were finished before `moment`, oldest first, and how many there are."""
        return self._state.finished_before(moment, limit)

    def count(self, status: JobStatus | None = None, owner: str | None = None, *, whole: bool = False) -> int:
        """How many jobs there are; `whole`: without parts."""
        return self._state.count(status, owner, whole=whole)

    def referring_to(self, sha256: str) -> list[Job]:
        """The jobs that refer to a file of the file store."""
        return [self._state.jobs[job_id] for job_id in self._state.references.to(sha256)]

    def next_seq(self, _count: int = 1) -> int:
        """The place in the queue that the next submitted job gets; all behind it are free."""
        return self._state.last_seq + 1

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is recorded meanwhile is written as one record; each call is kept or refused by itself."""
        self._gathered = Gathered(self._journal, self._actor)
        try:
            yield
        finally:
            self._gathered.write()
            self._gathered = None

    def record(self, events: Sequence[Event]) -> None:
        """Journal `events` and apply them: all, or none and `unavailable`."""
        if not events:
            return
        # First, so that events that do not fit their records never reach the journal.
        changes = lifecycle.carry_out(self._state.record, events)
        try:
            if self._gathered is None:
                self._journal.append(codec.encode_events(events, self._actor))
            else:
                self._gathered.add(events)
        except (journal.JournalFullError, journal.JournalError) as error:
            raise UNAVAILABLE(
                f"The master cannot keep this: {error}. Free some space and try again."
            ) from error
        self._owners.update(owners_in(self._state.jobs, events, changes))
        for key, record in changes.items():
            self._state.put(key, record, self.now)
        self._state.history = snapshot.length_after(self._state.history, events)
        self.events += events

    def told(self) -> Told:
        """What was recorded, for those who listen; under the lock."""
        after = self._state.history
        return Told(self._before, after, self.events, self._actor, self.now.wall, self._owners)
