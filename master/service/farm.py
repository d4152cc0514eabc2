"""What all verbs share: the store, the clock, who asks, and how records are shown."""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import get_args

from common import problems
from common.clock import Clock
from common.model import (
    Job,
    JobStatus,
    Load,
    Node,
    Now,
    Role,
    Token,
    Webhook,
)
from master import lifecycle, scheduler
from master.config import Config
from master.feed import Feed
from master.files import Shelf
from master.lifecycle import chains, commands, events, families, splits, twins
from master.live import Hub
from master.metrics import Measures
from master.metrics.happenings import Happenings
from master.service.family import progress_of
from master.service.holding import view_of
from master.service.views import Caller, JobView, NodeView
from master.store.archive import Archive
from master.store.interface import Store, Transaction
from master.store.logs import LogStore
from master.store.samples import sample
from master.store.told import Told
from master.throttle import Throttle
from master.waiters import Waiters

_End = (
    events.JobCompleted
    | events.JobRequeued
    | events.JobFailed
    | events.JobCanceled
    | events.JobDivided
    | events.JobNotDivided
    | events.JobTwinCompleted
)
_ENDS = get_args(_End)
"""What ends an attempt, if there is one."""
_LAST = (
    events.JobCompleted,
    events.JobFailed,
    events.JobCanceled,
    events.JobPartFailed,
    events.JobTwinCompleted,
    events.JobTwinFailed,
    events.JobDependencyFailed,
)
"""What makes a job final."""
_VERSION_4 = 4 << 76 | 2 << 62
_RANDOM = ~(15 << 76 | 3 << 62)
"""All bits of a UUID but those that say of which kind it is."""
_SUBMIT_BURST = 100.0
"""Seconds' worth of jobs that a submitter may queue at once."""
_JOIN_RATE, _JOIN_BURST = 10.0, 200.0
"""Registrations from one address without an operator's or a node's credential: a second, and at once."""


def throttle(limit: Throttle, who: str, now: Now, amount: int = 1) -> None:
    """`too_many`, with the seconds to wait, if `who` asks for more than `limit` allows."""
    wait = limit.take(who, now.mono, amount)
    if wait > 0:
        seconds = math.ceil(wait)
        raise problems.TOO_MANY(f"That was too much at once; try again in {seconds} s.", retry_after=seconds)


class Farm:
    """The parts with effects, and the steps that several verbs need."""

    def __init__(
        self,
        config: Config,
        store: Store,
        logs: LogStore,
        archive: Archive,
        shelf: Shelf,
        clock: Clock,
        fingerprint: str = "",
        measures: Measures | None = None,
    ) -> None:
        """Everything is handed in. `fingerprint`: of the CA (`common.trust`), which tokens name.

        `measures`: what the store counts to as well; None: new ones.
        """
        self.config = config
        self.store = store
        self.logs = logs
        self.archive = archive
        self.shelf = shelf
        self.clock = clock
        self.submits = Throttle(config.submit_rate, burst=_SUBMIT_BURST * config.submit_rate)
        self.joins = Throttle(_JOIN_RATE, burst=_JOIN_BURST)
        self.fingerprint = fingerprint
        self.start = ""
        """The name of this start of the master; see `begin`."""
        self.started = clock()
        """When this start of the master was."""
        self.certificate_expiry: float | None = None
        """When the certificate ends that is served, in seconds since the epoch; None: it is not known."""
        self.leaving: frozenset[str] = frozenset()
        """The ids of jobs that are being written to the archive. Changed under the store's lock."""
        self.ended: deque[str] = deque()
        """The ids of jobs that were finished: what they handed to each other may have to go."""
        self.all_due = threading.Event()
        """Set when that is not known, as after a start: each stored file may have to go."""
        self.all_due.set()
        self.shares = threading.Event()
        """Set while a file is encoded in chunks, or may be: idle nodes look then what they can do for it."""
        self.waiters = Waiters(config.max_parked_polls)
        self.feed = Feed(store)
        self.live = Hub(self.feed, logs, config.max_streams, store.talk if store.shared else None)
        self.measures = measures or Measures()
        store.subscribe(self._after)
        self.feed.subscribe(Happenings(self.measures, store.job).hear)

    def begin(self) -> None:
        """Give this start of the master a name, and keep it. `unavailable` if the disk does not take it.

        A master that joins others goes on with the name of theirs: it tells the same history.
        """
        start = new_id()
        with self.store.transaction(self.clock()) as tx:
            starts = tx.farm().starts
            if self.store.first or not starts:
                self.decide(tx, commands.Start(start, tx.history()))
            else:
                start = starts[-1][0]
        self.start = start
        if not self.store.shared:
            self._settle_families()

    def _settle_families(self) -> None:
        """After a repair: whoever waits for a job that is lost hears of it."""
        with self.store.transaction(self.clock()) as tx:
            for job in tx.bound():
                if tx.job(job.id) == job:
                    self.decide(tx, commands.Settle(), job=job)

    def decide(
        self,
        tx: Transaction,
        command: commands.Command,
        *,
        job: Job | None = None,
        node: Node | None = None,
        token: Token | None = None,
        webhook: Webhook | None = None,
    ) -> Sequence[events.Event]:
        """Let the lifecycle decide on `command` with these records, and record what follows."""
        view = view_of(
            tx, self.config, self.store.liveness, command, job=job, node=node, token=token, webhook=webhook
        )
        happened = lifecycle.decide(view, command, tx.now)
        ended = [tx.job(each.job_id) for each in happened if isinstance(each, _ENDS)]
        tx.record(happened)
        for before in ended:
            if before is not None and before.lease is not None:
                self.store.liveness.forget_lease(before.lease.lease_id)
        return happened

    def hear(self, tx: Transaction, caller: Caller, node_id: str, *, stopping: bool = False) -> None:
        """Every call of a node is a sign of life; one that was lost comes back by it.

        By the first with a new credential the one before ends. `identity_in_use` if another
        process of it calls than the one that registered.
        """
        node = self.require_node(tx, node_id)
        lifecycle.same_agent(node, caller.instance, tx.farm())
        self.store.liveness.hear(node_id, tx.now)
        if node.lost or stopping:
            self.decide(tx, commands.Hear(stopping), node=node)
        if node.replaced_hash is not None and caller.credential_hash == node.credential_hash:
            self.decide(tx, commands.ConfirmCredential(), node=node)

    def require_job(self, tx: Transaction, job_id: str, caller: Caller | None = None) -> Job:
        """The job, or `unknown_job`; `forbidden` if `caller` is a submitter, and it is somebody else's."""
        job = tx.job(job_id)
        if job is None:
            hint = (
                ""
                if self.archive.empty
                else " Old finished ones are in the archive: ffrtmp results --archive."
            )
            raise problems.UNKNOWN_JOB(f"There is no job {job_id!r}. GET /jobs lists them.{hint}")
        if caller is not None and caller.role is Role.SUBMITTER and job.owner != caller.owner:
            raise problems.FORBIDDEN(f"Job {job_id} is not yours: a submitter sees its own jobs only.")
        return job

    def require_node(self, tx: Transaction, node_id: str) -> Node:
        """The node, or `unknown_node`."""
        node = tx.node(node_id)
        if node is None:
            raise problems.UNKNOWN_NODE(f"There is no node {node_id!r}. POST /nodes/register makes it known.")
        return node

    def node_view(self, tx: Transaction, node_id: str) -> NodeView:
        """The node as it is now, or `unknown_node`."""
        node = self.require_node(tx, node_id)
        last_heartbeat = self.store.liveness.last_heard(node_id) or node.last_seen
        return NodeView(node, tx.held(node_id), last_heartbeat, self.store.liveness.samples.load(node_id))

    def sample(self, tx: Transaction, node_id: str, load: Load | None) -> None:
        """Keep, for a while, how busy a node is that gave a sign of life."""
        held, liveness = tx.held(node_id), self.store.liveness
        progress = [liveness.progress(job.lease.lease_id, tx.now) for job in held if job.lease is not None]
        liveness.samples.add(node_id, sample(tx.now, load, len(held), progress))

    def job_view(self, tx: Transaction, job: Job) -> JobView:
        """`job` as it is now."""
        if job.lease is not None:
            liveness = self.store.liveness
            left = self.config.lease - liveness.lease_age(job.lease.lease_id, tx.now)
            return JobView(
                job, liveness.progress(job.lease.lease_id, tx.now), lease_expires_in=max(0.0, left)
            )
        if job.status is not JobStatus.PENDING:
            return JobView(job)
        if job.awaits_jobs:
            unfinished, count = tx.awaited(job, chains.NAMED)
            return JobView(job, pending_reason=chains.waiting_reason(job, unfinished, count))
        if job.awaits_parts:
            return self._parent_view(tx, job)
        if job.awaits_twin or _is_left_to_its_twin(tx, job):
            return JobView(job, pending_reason=f"waits for its twin, job {twins.twin_id(job.id)}")
        ready_in = tx.ready_in(job.id)
        if ready_in > 0:
            paused = tx.farm().paused
            return JobView(job, pending_reason=scheduler.pending_reason(job, (), ready_in, paused=paused))
        return JobView(job, pending_reason=tx.reason(job))

    def claim_view(self, tx: Transaction, job: Job) -> JobView:
        """`job` as it is given to a node: with the completed jobs that it is made of, or depends on."""
        whole = tx.job(job.parent_id) if job.parent_id is not None else job
        parts, hand_on = tuple(self.makers(tx, job)), splits.hands_on(job, tx.nodes)
        source = None if whole is None else splits.source_of(whole)
        view = self.job_view(tx, job)
        if not parts and source is None and not hand_on:
            return view
        return replace(view, parts=parts, source=source, hand_on=hand_on)

    @staticmethod
    def makers(tx: Transaction, job: Job) -> list[Job]:
        """The jobs whose artifacts `job` is handed: its parts, or of a part the others that it depends on."""
        if job.parts:
            return families.parts_of(job, tx.children(job.id))
        known = (tx.job(each) for each in job.depends_on)
        return [each for each in known if each is not None and each.parent_id == job.parent_id is not None]

    def _parent_view(self, tx: Transaction, job: Job) -> JobView:
        """A job that waits for its parts: they are how far it is."""
        parts, liveness = tx.children(job.id), self.store.liveness
        how_far = progress_of(parts, partial(liveness.progress, now=tx.now), tx.now.wall)
        reason = families.waiting_reason(job, families.parts_of(job, parts))
        return JobView(job, how_far, pending_reason=reason)

    def wake_for(self, job_id: str, before: int | None = None) -> None:
        """If the job is still pending, wake a parked poll that can take it (see `Waiters.wake_for`)."""
        with self.store.transaction(self.clock()) as tx:
            job, paused = tx.job(job_id), tx.farm().paused
        # While the queue is paused, polls would pass the job from one to the next.
        if job is not None and job.waits_for_a_node and not paused:
            self.waiters.wake_for(job, before)

    def room_was_made_for(self, job: Job) -> None:
        """`job` waits no longer: a node that made room for it may take others again."""
        if job.constraints.alone:
            self.waiters.wake_busy()

    def _after(self, told: Told) -> None:
        """Wake those whom the events concern; the events are on disk."""
        self._note_the_last(told.events)
        self._note_starts(told.events)
        for event in told.events:
            match event:
                case events.JobSubmitted():
                    if event.job.waits_for_a_node and event.job.twin_of is None:
                        self.waiters.wake_for(event.job)
                case events.JobResumed() | events.JobPartsCompleted() | events.JobDependenciesCompleted():
                    self.wake_for(event.job_id)
                case events.QueueResumed():
                    self.waiters.wake_all()
                case events.NodeRegistered():
                    self.waiters.wake_node(event.node.id)
                case events.NodeLost() | events.NodeRevoked():
                    self.waiters.end(event.node_id)  # waiting is no sign of life
                case _ if isinstance(event, _ENDS):
                    self._after_an_end(event)
                case events.NodeEvent():
                    self._after_another_standing(event)

    def _note_the_last(self, happened: Sequence[events.Event]) -> None:
        """What jobs that are final now have read, and what was put for them, may have to go."""
        self.ended.extend(event.job_id for event in happened if isinstance(event, _LAST))

    def _note_starts(self, happened: Sequence[events.Event]) -> None:
        """Of masters that share a store, one may begin anew when it finds no other: all go by its name."""
        for event in happened:
            if isinstance(event, events.MasterStarted):
                self.start = event.start

    def _after_another_standing(self, event: events.NodeEvent) -> None:
        self.waiters.wake_node(event.node_id)
        if isinstance(event, events.NodeRemoved):
            self.store.liveness.forget_node(event.node_id)

    def _after_an_end(self, event: _End) -> None:
        if event.node_id is not None:
            self.waiters.wake_node(event.node_id)  # it has a free slot
        again = isinstance(event, events.JobRequeued) and event.delay <= 0
        if again or isinstance(event, events.JobNotDivided):
            self.wake_for(event.job_id)
        job = self.store.job(event.job_id)
        if job is not None and job.twin_of is not None:
            self.wake_for(job.twin_of)  # if it waits: nodes left it to its twin


def _is_left_to_its_twin(tx: Transaction, job: Job) -> bool:
    """Whether `job`, which waits for a node again, is done by its twin, unless that turns out to be slow."""
    if job.parent_id is None or not job.attempts or job.stage not in twins.STAGES:
        return False
    twin = tx.job(twins.twin_id(job.id))
    return twin is not None and not twin.status.final


def new_id() -> str:
    """A fresh id for a job, a node or a lease: a random UUID (RFC 9562, version 4).

    Made here, since `uuid` takes three times as long, and each job needs two.
    """
    digits = f"{int.from_bytes(os.urandom(16)) & _RANDOM | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
