"""What the master acknowledged to all clients, and what it must never do after it."""

from __future__ import annotations

import itertools
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Claim:
    """An attempt that was given to a node."""

    node_id: str
    lease_id: str
    outcome: str | None = None
    """How it ended, once that was acknowledged."""


@dataclass(slots=True)
class Entry:
    """All that was acknowledged of one job."""

    claims: dict[int, Claim] = field(default_factory=dict)
    """By the number of the attempt."""
    status: str | None = None
    """The final one, once it was acknowledged."""
    frames: int | None = None
    """What its acknowledged result says, and no other one."""
    ended_at: float = 0.0
    cancel_asked: bool = False
    """Whether somebody tried to cancel it, answered or not."""


class Ledger:
    """The acknowledged truth; all clients write into it, from their threads."""

    def __init__(self, *, several: bool = False) -> None:
        """`several`: of masters, each of which hears a moment later what the others did."""
        self._several = several
        self.entries: dict[str, Entry] = {}
        self.submits: set[str] = set()
        """The jobs whose submit was answered."""
        self.lost: list[str] = []
        self.twice: list[str] = []
        self.wrong: list[str] = []
        """What should not be either, such as a refusal that nobody can explain."""
        self.acknowledged = 0
        """Jobs and results."""
        self.unanswered = 0
        """Submits that were given up without an answer: each may have made a job."""
        self.history = 0
        """The longest that anybody was told of, in events."""
        self.over = threading.Event()
        self._open: list[str] = []
        self._frames = itertools.count(1)
        self._lock = threading.RLock()

    def submitted(self, job_id: str) -> None:
        with self._lock:
            if job_id in self.submits:
                self.twice.append(f"two submits were answered with the same job {job_id}")
            self.submits.add(job_id)
            self.entries.setdefault(job_id, Entry())  # it may have been claimed before the answer came
            self._open.append(job_id)
            self.acknowledged += 1

    def no_answer(self, jobs: int = 1) -> None:
        with self._lock:
            self.unanswered += jobs

    def heard(self, history: int, told: int) -> None:
        """An answer had this history; somebody was `told` of the other one before it was asked for."""
        with self._lock:
            self.history = max(self.history, history)
        if history < told and not self._several:
            self.lost.append(f"the history had {told} events, and then {history}")

    def claimed(self, job: dict[str, Any], asked_at: float) -> int:
        """A node was given `job` by a poll sent at `asked_at`; a number of frames that no other reports."""
        with self._lock:
            entry = self.entries.setdefault(job["id"], Entry())  # made by a submit without an answer
            number = job["attempt"]
            if entry.status is not None and entry.ended_at < asked_at:
                self.twice.append(f"job {job['id']} was given out after it was {entry.status}")
            before = entry.claims.get(number)
            if before is not None and before.lease_id != job["lease_id"]:
                self.twice.append(f"attempt {number} of job {job['id']} was given out twice")
            if before is None:
                entry.claims[number] = Claim(job["node_id"], job["lease_id"])
            return next(self._frames)

    def attempt_ended(self, job: dict[str, Any], outcome: str) -> None:
        with self._lock:
            claim = self.entries[job["id"]].claims[job["attempt"]]
            if claim.outcome not in (None, outcome):
                self.twice.append(
                    f"attempt {job['attempt']} of job {job['id']}: {claim.outcome}, then {outcome}"
                )
            claim.outcome = outcome

    def reported(self, job: dict[str, Any], outcome: str) -> None:
        """A result was acknowledged."""
        with self._lock:
            self.attempt_ended(job, outcome)
            self.acknowledged += 1

    def ended(self, job_id: str, status: str, frames: int | None = None) -> None:
        with self._lock:
            entry = self.entries[job_id]
            if (entry.status, entry.frames) not in ((None, None), (status, frames)):
                self.twice.append(f"job {job_id} was {entry.status}, and then {status}")
            entry.status, entry.frames, entry.ended_at = status, frames, time.monotonic()

    def no_longer_open(self, job_id: str) -> None:
        """It has ended somehow."""
        with self._lock:
            if job_id in self._open:
                self._open.remove(job_id)

    def cancel_asked(self, job_id: str) -> None:
        with self._lock:
            self.entries[job_id].cancel_asked = True

    def may_be_canceled(self, job_id: str) -> bool:
        with self._lock:
            return self.entries[job_id].cancel_asked

    def backlog(self) -> int:
        """How many jobs are not known to have ended."""
        with self._lock:
            self._open = [job_id for job_id in self._open if self.entries[job_id].status is None]
            return len(self._open)

    def any_open(self, chance: random.Random) -> str | None:
        with self._lock:
            return chance.choice(self._open) if self._open else None

    def any_ended(self, chance: random.Random) -> tuple[str, str] | None:
        """A job and its final status."""
        with self._lock:
            job_id = chance.choice(list(self.entries)) if self.entries else ""
            status = self.entries[job_id].status if job_id else None
            return None if status is None else (job_id, status)
