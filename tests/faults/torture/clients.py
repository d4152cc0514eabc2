"""Submitters and agents as the master sees them: what was not answered, they ask again."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import requests

from common.client import HISTORY_HEADER, REPLACES_HEADER
from tests.faults.torture.ledger import Ledger
from tests.masters import Client

BACKLOG = 40
"""Unfinished jobs past which submitters wait."""
BATCH = 3
"""Jobs in a batch."""
PAUSE = 0.02
"""Seconds before what was not answered is asked again."""
NOBODYS = 10**9
"""Frames of a result that must never be taken."""


class Caller(threading.Thread):
    """Asks the master things until the ledger is closed."""

    def __init__(self, client: Client, ledger: Ledger, chance: random.Random) -> None:
        super().__init__(name=type(self).__name__, daemon=True)
        self.client = client
        self.ledger = ledger
        self.chance = chance

    def run(self) -> None:
        with self.client:
            while not self.ledger.over.is_set():
                self.act()

    def act(self) -> None:
        raise NotImplementedError

    def ask(self, method: str, path: str, **what: Any) -> requests.Response | None:
        """The answer; None if there was none, or if the master is not able to now."""
        told = self.ledger.history
        try:
            answer = self.client.request(method, path, **what)
        except requests.RequestException:
            self.ledger.over.wait(PAUSE)
            return None
        self.ledger.heard(int(answer.headers[HISTORY_HEADER].partition(".")[0]), told)
        if answer.status_code == 503:
            self.ledger.over.wait(PAUSE)
            return None
        return answer

    def insist(self, method: str, path: str, **what: Any) -> requests.Response | None:
        """The answer, however often it takes; None only when all is over."""
        while not self.ledger.over.is_set():
            answer = self.ask(method, path, **what)
            if answer is not None:
                return answer
        return None

    def unexpected(self, what: str, answer: requests.Response) -> None:
        """A refusal that has no place here."""
        said = f"{what}: {answer.status_code} {answer.text}"
        slug = answer.json().get("type", "").rpartition(":")[2] if answer.status_code >= 400 else ""
        if slug in ("unknown_job", "unknown_node", "stale_lease"):
            self.ledger.lost.append(said)
        elif slug == "result_mismatch":
            self.ledger.twice.append(said)
        else:
            self.ledger.wrong.append(said)


class Submitter(Caller):
    """Submits, pauses, cancels, and looks at what has ended."""

    def act(self) -> None:
        if self.ledger.backlog() > BACKLOG:
            self.ledger.over.wait(PAUSE)
        else:
            self.chance.choices([self.submit_with_key, self.submit_batch, self.submit], [3, 1, 1])[0]()
        if self.chance.random() < 0.5:
            self.chance.choices([self.cancel, self.pause, self.look], [1, 1, 2])[0]()

    def submit_with_key(self) -> None:
        key = str(uuid.UUID(int=self.chance.getrandbits(128)))
        answer = self.insist(
            "POST", "/jobs", json={"scenario": "720p-h264"}, headers={"Idempotency-Key": key}
        )
        self._submitted(answer)

    def submit_batch(self) -> None:
        key = str(uuid.UUID(int=self.chance.getrandbits(128)))
        batch = {"jobs": [{"scenario": "720p-h264"}] * BATCH}
        answer = self.insist("POST", "/jobs/batch", json=batch, headers={"Idempotency-Key": key})
        if answer is None:
            self.ledger.no_answer(BATCH)
        elif not answer.ok:
            self.unexpected("a batch", answer)
        else:
            for job in answer.json()["jobs"]:
                self.ledger.submitted(job["id"])

    def submit(self) -> None:
        self._submitted(self.ask("POST", "/jobs", json={"scenario": "720p-h264"}))

    def _submitted(self, answer: requests.Response | None) -> None:
        if answer is None:
            self.ledger.no_answer()
        elif answer.ok:
            self.ledger.submitted(answer.json()["id"])
        else:
            self.unexpected("a submit", answer)

    def cancel(self) -> None:
        job_id = self.ledger.any_open(self.chance)
        if job_id is None:
            return
        self.ledger.cancel_asked(job_id)
        answer = self.insist("POST", f"/jobs/{job_id}/cancel")
        if answer is not None and answer.ok:
            self.ledger.ended(job_id, "canceled")
        elif answer is not None and answer.status_code == 409:  # an agent was faster
            self.ledger.no_longer_open(job_id)
        elif answer is not None:
            self.unexpected(f"cancel {job_id}", answer)

    def pause(self) -> None:
        """And resume, or the job would wait for ever; a running or finished one is refused."""
        job_id = self.ledger.any_open(self.chance)
        if job_id is None:
            return
        for verb in ("pause", "resume"):
            answer = self.insist("POST", f"/jobs/{job_id}/{verb}")
            if answer is not None and not answer.ok and answer.status_code != 409:
                self.unexpected(f"{verb} {job_id}", answer)

    def look(self) -> None:
        """Final stays final."""
        ended = self.ledger.any_ended(self.chance)
        if ended is None:
            return
        job_id, status = ended
        answer = self.ask("GET", f"/jobs/{job_id}")
        if answer is not None and not answer.ok:
            self.unexpected(f"job {job_id}, {status}", answer)
        elif answer is not None and answer.json()["status"] != status:
            self.ledger.lost.append(f"job {job_id} was {status}, and then {answer.json()['status']}")


class Agent(Caller):
    """Claims jobs and ends them in every way; most are completed."""

    def __init__(self, client: Client, ledger: Ledger, chance: random.Random) -> None:
        super().__init__(client, ledger, chance)
        self.node_id = str(uuid.UUID(int=chance.getrandbits(128)))
        self._instance: str | None = None
        self._proven = False
        self._following: tuple[dict[str, Any], float] | None = None
        """A job that came with the answer to a report, and when that was asked for."""
        self._late: dict[str, dict[str, Any]] = {}
        """Results of attempts that are over, by job: each is sent when the job was given out anew."""

    def register(self) -> bool:
        """As an agent that was started anew does; whether it was heard."""
        before, self._instance = self._instance, str(uuid.UUID(int=self.chance.getrandbits(128)))
        fields = {"id": self.node_id, "address": self.name, "instance": self._instance}
        headers = {REPLACES_HEADER: before} if before else {}
        answer = self.insist("POST", "/nodes/register", json=fields, headers=headers)
        if answer is not None and not answer.ok:
            self.unexpected("register", answer)
        return answer is not None and answer.ok

    def act(self) -> None:
        if self._instance is None and not self.register():
            return
        following, self._following = self._following, None
        if following is not None:
            self._work_on(*following)
            return
        asked_at = time.monotonic()
        # No lease is known here: one that was answered into the void is given again.
        query = {"node_id": self.node_id, "leases": "", "wait": self.chance.choice(["0", "0.2"])}
        answer = self.ask("GET", "/jobs/next", params=query)
        if answer is not None and not answer.ok:
            self.unexpected("a poll", answer)
        elif answer is not None and answer.json()["job"] is not None:
            self._work_on(answer.json()["job"], asked_at)

    def _work_on(self, job: dict[str, Any], asked_at: float) -> None:
        frames = self.ledger.claimed(job, asked_at)
        if (late := self._late.pop(job["id"], None)) is not None:
            self._must_be_refused(f"the late result of job {job['id']}", late)
        self._tell(job)
        self._choose_end()(job, frames)

    def _choose_end(self) -> Callable[[dict[str, Any], int], None]:
        # Never two that go wrong, one behind the other: the master would set this node aside.
        ways = [self._complete, self._fail, self._fail_for_good, self._release, self._start_anew]
        way = self.chance.choices(ways, [30, 2, 2, 2, 2])[0] if self._proven else self._complete
        self._proven = way == self._complete
        return way

    def _tell(self, job: dict[str, Any]) -> None:
        if self.chance.random() < 0.5:
            progress = {"node_id": self.node_id, "lease_id": job["lease_id"], "frame": 1}
            answer = self.ask("POST", f"/jobs/{job['id']}/progress", json=progress)
            self._check_lease(f"progress of {job['id']}", job, answer)

    def _complete(self, job: dict[str, Any], frames: int) -> None:
        report = self._report(job, metrics={"frames": frames})
        if not self._deliver(report, job, "completed"):
            return
        self.ledger.ended(job["id"], "completed", frames)
        if self.chance.random() < 0.2:
            answer = self.insist("POST", "/results", json=report)
            if answer is not None and not answer.ok:
                self.unexpected(f"the same result of {job['id']} again", answer)
        if self.chance.random() < 0.1:
            other = {**report, "metrics": {"frames": NOBODYS}}
            self._must_be_refused(f"another result of job {job['id']}", other)

    def _fail(self, job: dict[str, Any], frames: int) -> None:
        error = {"code": "encoder_killed", "message": "a signal ended ffmpeg"}
        self._deliver(self._report(job, status="failed", error=error), job, "failed")

    def _fail_for_good(self, job: dict[str, Any], frames: int) -> None:
        error = {"code": "encoder_error", "message": "ffmpeg refused"}
        report = self._report(job, status="failed", error=error, metrics={"frames": frames})
        if self._deliver(report, job, "failed"):
            self.ledger.ended(job["id"], "failed", frames)

    def _release(self, job: dict[str, Any], frames: int) -> None:
        self._late[job["id"]] = self._report(job, metrics={"frames": NOBODYS})
        lease = {"node_id": self.node_id, "lease_id": job["lease_id"]}
        path = f"/jobs/{job['id']}/release"
        answer = self.ask("POST", path, json=lease)
        # Once handed back, it is nobody's: only the first try can tell a lost lease.
        if answer is None:
            self.insist("POST", path, json=lease)
        elif self._check_lease(f"release of {job['id']}", job, answer):
            self.ledger.attempt_ended(job, "handed_back")

    def _start_anew(self, job: dict[str, Any], frames: int) -> None:
        """The agent dies and has forgotten the job; what it had sent before arrives late."""
        self._late[job["id"]] = self._report(job, metrics={"frames": NOBODYS})
        if self.register() and not self.ledger.may_be_canceled(job["id"]):
            self.ledger.attempt_ended(job, "lost")

    def _report(self, job: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "job_id": job["id"],
            "node_id": self.node_id,
            "lease_id": job["lease_id"],
            "attempt": job["attempt"],
            **more,
        }

    def _deliver(self, report: dict[str, Any], job: dict[str, Any], outcome: str) -> bool:
        """Whether the result was acknowledged."""
        asked_at = time.monotonic()
        wish = {"next": "1", "leases": ""} if self.chance.random() < 0.5 else None
        batch = wish is None and self.chance.random() < 0.5
        answer = (
            self._send_batch(report) if batch else self.insist("POST", "/results", json=report, params=wish)
        )
        if not self._check_lease(f"result of {job['id']}", job, answer):
            return False
        self.ledger.reported(job, outcome)
        if answer is not None and (following := answer.json().get("next")) is not None:
            self._following = following, asked_at
        return True

    def _send_batch(self, report: dict[str, Any]) -> requests.Response | None:
        """With a report that nobody may take."""
        stale = {**report, "lease_id": "another", "metrics": {"frames": NOBODYS}}
        answer = self.insist("POST", "/results/batch", json={"reports": [stale, report]})
        if answer is not None and answer.ok:
            refused, taken = (each["problem"] for each in answer.json()["reports"])
            if refused is None:
                self.ledger.twice.append(f"a report with another lease of job {report['job_id']} was taken")
            if taken is not None:  # alone it is refused for the same
                return self.insist("POST", "/results", json=report)
        return answer

    def _check_lease(self, what: str, job: dict[str, Any], answer: requests.Response | None) -> bool:
        """Whether the answer is a yes; a no needs somebody who canceled the job."""
        if answer is not None and not answer.ok:
            if answer.status_code != 409 or not self.ledger.may_be_canceled(job["id"]):
                self.unexpected(what, answer)
            return False
        return answer is not None

    def _must_be_refused(self, what: str, report: dict[str, Any]) -> None:
        answer = self.ask("POST", "/results", json=report)
        if answer is not None and answer.ok:
            self.ledger.twice.append(f"{what} was taken")
        elif answer is not None and answer.status_code not in (409, 422):
            self.unexpected(what, answer)
