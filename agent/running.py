"""The jobs that this agent runs now, and until when it may: its leases, as far as it knows."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count

from agent.task import Assignment
from common.model import Progress

_REPORTED = 100
"""Leases that are remembered after their end."""


def lease_clock() -> float:
    """Seconds on the clock of leases, which goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def margin(term: float) -> float:
    """The seconds at the end of a lease in which nothing is worked on any more, for a lease of `term`.

    A tenth: far more than two clocks differ in that time. At least a second, since ffmpeg is
    looked after ten times in one, and a busy machine may be late; but never more than a quarter,
    which leaves two heartbeats (one in each third) to renew the shortest leases.
    """
    return max(term / 10, min(1.0, term / 4))


def lease_holds(renewed: float, term: float, now: float) -> bool:
    """Whether the master cannot have given the job away, nor will while we stop working on it.

    `renewed`: just before the newest request that renewed the lease was sent, so not later
    than the master counts from.
    """
    return now < renewed + term - margin(term)


def is_fresh(renewed: float, term: float, now: float) -> bool:
    """Whether a lease that was `renewed` then holds until the next heartbeat: one comes in each third."""
    return now < renewed + term / 3


@dataclass(eq=False, slots=True)
class RunningJob:
    """One attempt under way."""

    assignment: Assignment
    renewed: float
    """When the newest request that renewed its lease was sent, on the clock of leases."""
    abort: threading.Event = field(default_factory=threading.Event)
    unwanted: bool = False
    """The master no longer wants it: canceled, or given to another node."""
    done: bool = False
    """Its work has ended, and only its report is under way."""
    slot: int = 0
    """Its place among the running jobs: the lowest that was free, counted from 0."""
    progress: Progress | None = None
    """How far it is, as its ffmpeg said last; None before that."""
    suspended: bool = False
    """Its lease is not known to hold, so that its ffmpeg has to wait."""

    def renew(self, sent: float) -> None:
        """A request that was sent then has renewed its lease."""
        self.renewed = max(self.renewed, sent)

    def drop(self) -> None:
        """End it: the master does not want it any more."""
        self.unwanted = True
        self.abort.set()


class RunningJobs:
    """At most `slots` of them; several threads look at it."""

    def __init__(self, slots: int) -> None:
        """No jobs yet."""
        self.slots = slots
        self._jobs: dict[str, RunningJob] = {}
        self._reported: deque[str] = deque(maxlen=_REPORTED)
        self._added = 0
        self._changed = threading.Condition()

    def add(self, assignment: Assignment, asked: float, after: RunningJob | None = None) -> RunningJob | None:
        """A job begins, in the place of `after`; the request that it answers was sent at `asked`.

        None if it has begun already: two requests that are under way at once may be answered with one lease.
        """
        job = RunningJob(assignment, asked)
        with self._changed:
            if assignment.lease_id in self._jobs or assignment.lease_id in self._reported:
                return None
            if after is not None:
                self._jobs.pop(after.assignment.lease_id, None)
            taken = {other.slot for other in self._jobs.values()}
            job.slot = next(slot for slot in count() if slot not in taken)
            self._jobs[assignment.lease_id] = job
            self._added += 1
            self._changed.notify_all()
        return job

    def reported(self, job: RunningJob) -> None:
        """The master has its report: what was answered before that does not begin it again."""
        with self._changed:
            self._reported.append(job.assignment.lease_id)

    def remove(self, job: RunningJob) -> None:
        """A job ended."""
        with self._changed:
            self._jobs.pop(job.assignment.lease_id, None)
            self._changed.notify_all()

    def leases(self) -> list[str]:
        """The leases that are held."""
        with self._changed:
            return list(self._jobs)

    def company(self) -> tuple[int, int]:
        """How many jobs are at work, and how many ever began: who looks twice sees whether it was alone."""
        with self._changed:
            return sum(not job.done for job in self._jobs.values()), self._added

    def job_ids(self) -> set[str]:
        """The jobs that run."""
        return {job.assignment.job_id for job in self.all()}

    def all(self) -> list[RunningJob]:
        """The jobs, oldest first."""
        with self._changed:
            return list(self._jobs.values())

    def keep_only(self, leases: set[str], asked: list[str], sent: float) -> None:
        """Of the `asked` leases a request that was sent then has renewed `leases`; drop the others."""
        for job in self.all():
            if job.assignment.lease_id not in asked:
                continue
            if job.assignment.lease_id in leases:
                job.renew(sent)
            else:
                job.drop()

    def master_is_down(self, sent: float, term: float) -> None:
        """Nobody listened at the master's address then: it gave away nothing that was not given before.

        When it starts again it grants every lease a full term.
        """
        for job in self.all():
            if sent < job.renewed + term:
                job.renew(sent)

    def wait_for_slot(self, timeout: float) -> bool:
        """Whether a slot is free, at the latest after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._jobs) < self.slots, timeout)

    def finish(self, job: RunningJob) -> None:
        """Its work has ended."""
        with self._changed:
            job.done = True
            self._changed.notify_all()

    def wait_until_alone(self, job: RunningJob, timeout: float) -> bool:
        """Whether no other job is at work, at the latest after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(
                lambda: all(other is job or other.done for other in self._jobs.values()), timeout
            )

    def wait_until_none(self, timeout: float) -> bool:
        """Whether all jobs have ended, at the latest after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs, timeout)

    def wait_until_some(self, timeout: float) -> bool:
        """Whether a job runs, at the latest after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._jobs), timeout)
