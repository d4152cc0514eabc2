"""The agent's day: register, take jobs, run them, report, and leave in good order.

Three kinds of threads: one asks for jobs, one sends heartbeats, and one for each job runs
it. The main thread waits for the order to stop.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import requests

from agent.config import Config
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.process import Spawner
from agent.link import Link, RefusedError
from agent.runner import Assignment, run_job
from agent.running import RunningJob, RunningJobs
from common.client import ApiError
from common.model import Failure, JobStatus, Progress, Report

log = logging.getLogger(__name__)

POLL_WAIT = 30.0
"""Seconds that the master may park a poll."""
_NOT_WANTED = ("stale_lease", "result_mismatch", "unknown_job")  # another attempt stands, or none is wanted
_ABORT_PATIENCE = 15.0  # seconds that ffmpeg gets to end when the agent must


class Agent:
    """One node at work."""

    def __init__(self, config: Config, link: Link, toolbox: Toolbox, spawner: Spawner, slots: int) -> None:
        """Everything with effects is handed in."""
        self._config = config
        self._link = link
        self._toolbox = toolbox
        self._spawner = spawner
        self._running = RunningJobs(slots)
        self._draining = threading.Event()
        self._ended = threading.Event()
        self._stop = threading.Event()
        self._failed = False

    def run(self, stop: threading.Event) -> bool:
        """Work until `stop` is set, then drain; False if a mistake of ours made it stop."""
        self._stop = stop
        self._thread(self._take_jobs, "poll").start()
        self._thread(self._send_heartbeats, "heartbeat").start()
        stop.wait()
        self._guarded(self._drain)
        return not self._failed

    def stop_now(self) -> None:
        """End running jobs at once and hand them back; reports that cannot be delivered are given up."""
        for job in self._running.all():
            job.abort.set()
        self._ended.set()

    # Taking jobs

    def _take_jobs(self) -> None:
        while not self._draining.is_set():
            if not self._running.wait_for_slot(1.0):
                continue
            asked_at = time.monotonic()
            try:
                answer = self._link.persist(self._poll, "ask for a job", self._draining)
            except (ApiError, RefusedError) as error:
                log.error("The master gives this node no jobs: %s", error)  # noqa: TRY400 - it says it all
                answer = None
            if answer is not None:
                self._begin(answer)
            elif time.monotonic() - asked_at < POLL_WAIT / 2:
                # The master would not let us wait: ask again later, not all agents at once.
                self._draining.wait(random.uniform(0.5, 1.0) * self._config.poll_interval)  # noqa: S311 - jitter

    def _poll(self) -> dict[str, Any] | None:
        return self._link.client.next_job(self._link.node_id, self._running.leases(), POLL_WAIT)

    def _begin(self, answer: dict[str, Any]) -> None:
        assignment = Assignment(
            answer["id"], answer["scenario"], answer["parameters"], answer["lease_id"], answer["attempt"]
        )
        log.info("Received job: %s (scenario: %s)", assignment.job_id, assignment.scenario)
        job = self._running.add(assignment)
        try:
            self._thread(lambda: self._run_job(job), f"job-{assignment.job_id[:8]}").start()
        except RuntimeError:  # the system has no thread for it; the master gives the job again
            self._running.remove(job)
            raise

    # Running a job

    def _run_job(self, job: RunningJob) -> None:
        assignment = job.assignment
        teller = ProgressTeller(self._link, job)
        try:
            if self._draining.is_set():
                job.abort.set()  # it was answered after we had said goodbye
            else:
                log.info("Executing job %s...", assignment.job_id)
            report = run_job(
                assignment,
                self._link.node_id,
                self._toolbox,
                self._spawner,
                self._config.work_dir,
                teller.tell,
                job.abort,
            )
            if report is not None:
                self._deliver(report, teller.unsent)
            elif job.unwanted:
                log.info("Job %s was ended: the master does not want it any more", assignment.job_id)
            else:
                self._hand_back(assignment)
        finally:
            self._running.remove(job)

    def _deliver(self, report: Report, unsent: list[str]) -> None:
        if report.error is None:
            log.info("Job %s completed successfully", report.job_id)
        else:
            log.warning("Job %s failed: %s (%s)", report.job_id, report.error.message, report.error.code)
        try:
            accepted = self._send(report, unsent)
        except (ApiError, RefusedError) as error:
            if isinstance(error, RefusedError) or error.slug in _NOT_WANTED:
                log.warning("The result of job %s is not wanted: %s", report.job_id, error)
                return
            # The same report would be refused again, and without any the job would be run again.
            log.error("The master refuses the result of job %s: %s", report.job_id, error)  # noqa: TRY400
            reason = Failure("agent_error", f"the master refused the result: {error}"[:500])
            bare = replace(report, status=JobStatus.FAILED, error=reason, metrics={}, analyzer_output={})
            accepted = self._send(bare, [])
        if accepted:
            log.info("Results sent for job %s (status: %s)", report.job_id, report.status)
        else:
            log.warning("The result of job %s could not be sent before the agent ended", report.job_id)

    def _send(self, report: Report, log_lines: list[str]) -> bool:
        """Whether the master has the report; False if the agent ended first."""
        answer = self._link.persist(
            lambda: self._link.client.report(report, log_lines), "send results", self._ended
        )
        return answer is not None

    def _hand_back(self, assignment: Assignment) -> None:
        try:
            self._link.call(
                lambda: self._link.client.release(assignment.job_id, self._link.node_id, assignment.lease_id)
            )
            log.info("Job %s was handed back", assignment.job_id)
        except (ApiError, requests.RequestException, RefusedError) as error:
            log.warning("Job %s could not be handed back: %s", assignment.job_id, error)

    # Heartbeats

    def _send_heartbeats(self) -> None:
        while not self._ended.wait(self._heartbeat_interval()):
            self._heartbeat()

    def _heartbeat_interval(self) -> float:
        """Seconds: what was set, or less where the master would give us up before the third."""
        terms = (self._link.terms.get(name) for name in ("heartbeat_timeout", "lease"))
        return min([self._config.heartbeat_interval, *(float(term) / 3 for term in terms if term)])

    def _heartbeat(self) -> None:
        leases = self._running.leases()
        stopping = self._draining.is_set()
        try:
            answer = self._link.call(
                lambda: self._link.client.heartbeat(self._link.node_id, leases, stopping=stopping)
            )
        except (ApiError, requests.RequestException, RefusedError) as error:
            log.debug("No heartbeat: %s", error)
            return
        self._link.terms = answer  # a master that was started anew may have others
        self._running.keep_only(set(answer["leases"]), leases)

    # Leaving

    def _drain(self) -> None:
        """Take nothing new, let running jobs finish in time, hand the others back, say goodbye."""
        self._draining.set()
        log.info("Stopping: %d job(s) are running", len(self._running.all()))
        self._guarded(self._heartbeat)  # tells the master to give us nothing more
        if not self._running.wait_until_none(self._config.drain_timeout):
            log.warning("Stopping: the time to drain is over; handing the jobs back")
            self.stop_now()
            self._running.wait_until_none(_ABORT_PATIENCE)
        self._ended.set()
        try:
            self._link.leave()
        except (ApiError, requests.RequestException) as error:
            log.debug("No goodbye: %s", error)

    def _thread(self, target: Callable[[], None], name: str) -> threading.Thread:
        return threading.Thread(target=self._guarded, args=(target,), name=name, daemon=True)

    def _guarded(self, work: Callable[[], None]) -> None:
        """An agent that only seems to work is worse than one that ends and is started anew."""
        try:
            work()
        except Exception:
            log.exception("The agent made a mistake, and stops")
            self._failed = True
            self._stop.set()


class ProgressTeller:
    """Sends a job's progress and log; keeps lines that could not be sent for the next time."""

    MOST_LINES = 200
    """Unsent lines (of 1,000 characters at most) that are kept; the older ones go first."""

    def __init__(self, link: Link, job: RunningJob) -> None:
        """For one running job."""
        self._link = link
        self._job = job
        self.unsent: list[str] = []

    def tell(self, how_far: Progress, lines: list[str]) -> None:
        """Send it once; a refusal ends the job, a failure is no reason to stop encoding."""
        assignment = self._job.assignment
        self.unsent = [*self.unsent, *lines][-self.MOST_LINES :]
        try:
            self._link.call(
                lambda: self._link.client.progress(
                    assignment.job_id, self._link.node_id, assignment.lease_id, how_far, self.unsent
                )
            )
        except ApiError as error:
            if error.slug in ("stale_lease", "unknown_job"):
                self._job.drop()
            elif error.status < 500:
                log.warning("The master refuses the progress of job %s: %s", assignment.job_id, error)
                self.unsent = []  # it would refuse them again
        except (requests.RequestException, RefusedError) as error:
            log.debug("No progress sent: %s", error)
        else:
            self.unsent = []
