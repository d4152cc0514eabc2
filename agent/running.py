"""The jobs that this agent runs now."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from agent.runner import Assignment


@dataclass(eq=False, slots=True)
class RunningJob:
    """One attempt under way."""

    assignment: Assignment
    abort: threading.Event = field(default_factory=threading.Event)
    unwanted: bool = False
    """The master no longer wants it: canceled, or given to another node."""

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
        self._changed = threading.Condition()

    def add(self, assignment: Assignment) -> RunningJob:
        """A job begins."""
        job = RunningJob(assignment)
        with self._changed:
            self._jobs[assignment.lease_id] = job
        return job

    def remove(self, job: RunningJob) -> None:
        """A job ended."""
        with self._changed:
            self._jobs.pop(job.assignment.lease_id, None)
            self._changed.notify_all()

    def leases(self) -> list[str]:
        """The leases that are held."""
        with self._changed:
            return list(self._jobs)

    def all(self) -> list[RunningJob]:
        """The jobs, oldest first."""
        with self._changed:
            return list(self._jobs.values())

    def keep_only(self, leases: set[str], asked: list[str]) -> None:
        """The master still knows `leases`; drop those of the `asked` ones that it does not."""
        for job in self.all():
            if job.assignment.lease_id in asked and job.assignment.lease_id not in leases:
                job.drop()

    def wait_for_slot(self, timeout: float) -> bool:
        """Whether a slot is free, at the latest after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._jobs) < self.slots, timeout)

    def wait_until_none(self, timeout: float) -> bool:
        """Whether all jobs have ended, at the latest after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs, timeout)
