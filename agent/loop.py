"""The agent's day: take jobs, run them, report, and leave in good order.

One thread asks for jobs, one sends heartbeats, one removes old outputs, and one measures the power
of the idle node; for each job one runs it, and one tells how far it is. The thread that runs the
agent waits for the order to stop.
"""

from __future__ import annotations

import logging
import math
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any

import requests

from agent import steps
from agent.assigned import assignment_of
from agent.config import Config
from agent.delivery import deliver
from agent.energy.account import Account, Means
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.limits import limits_for
from agent.ffmpeg.spawner import Spawner
from agent.files import Files
from agent.heartbeat import Heartbeats
from agent.hosts.pool import Hosts
from agent.link import Link, RefusedError
from agent.metrics import Metrics, Moment
from agent.outbox import Outbox
from agent.outputs import Clocks, prune, set_ahead
from agent.paces import FILE as PACES
from agent.paces import Paces
from agent.rotation import Rotation
from agent.runner import run_job
from agent.running import RunningJob, RunningJobs, is_fresh, lease_clock, lease_holds
from agent.sandbox import Sandbox
from agent.task import Assignment
from agent.teller import ProgressTeller
from common.client import ApiError
from common.logs import about
from common.model import Report, runs_alone

log = logging.getLogger(__name__)

POLL_WAIT = 30.0
"""Seconds that the master may park a poll."""
_NO_SANDBOX = Sandbox()
_NO_MEANS = Means()
_ALONE_PATIENCE = 60.0  # seconds that unwanted jobs get to end before one that is measured
_TIDY_INTERVAL = 300.0  # seconds
_ABORT_PATIENCE = 15.0  # seconds that ffmpeg gets to end when the agent must
_GOODBYE_PATIENCE = 3.0  # seconds that the master gets to hear that the agent stops


class Agent:
    """One node at work."""

    def __init__(
        self,
        config: Config,
        link: Link,
        toolbox: Toolbox,
        spawner: Spawner,
        outbox: Outbox,
        slots: int,
        sandbox: Sandbox = _NO_SANDBOX,
        means: Means = _NO_MEANS,
        files: Files | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """Everything with effects is handed in. `metrics`: what is counted to; None: new ones."""
        self._metrics = metrics or Metrics()
        self._config = config
        self._link = link
        self._toolbox = toolbox
        self._spawner, self._sandbox = spawner, sandbox
        self._outbox = outbox
        self._files = files
        self._running = RunningJobs(slots)
        self._hosts = Hosts(slots)
        self._account = Account(means, self._running)
        self._paces = Paces(config.state_dir / PACES)
        if toolbox.slowness is not None:
            self._paces.learn({steps.MACHINE: toolbox.slowness})
        self._draining = threading.Event()
        self._ended = threading.Event()
        self._stop = threading.Event()
        rotation = Rotation(link, config.master_dir)
        self._heartbeats = Heartbeats(
            link, self._running, config.heartbeat_interval, self._draining, rotation, self._metrics
        )
        self._expelled = threading.Event()
        self._why: str | None = None
        link.on_expelled = self._end_at_once
        link.on_answer = self._metrics.heard
        if files is not None:
            files.on_look = lambda hit: self._metrics.looked_into_cache(hit=hit)
            files.on_part = self._metrics.part_bytes.inc
        self._metrics.show(self._moment)
        link.on_master_down = lambda sent: self._running.master_is_down(sent, link.term)

    def run(self, stop: threading.Event) -> str | None:
        """Work until `stop` is set, then drain; why it stopped, if nobody told it to."""
        self._stop = stop
        self._thread(self._take_jobs, "poll").start()
        self._thread(lambda: self._heartbeats.go_on(self._ended), "heartbeat").start()
        self._thread(self._tidy, "tidy").start()
        self._thread(lambda: self._account.idle.go_on(self._running, self._ended), "idle meter").start()
        stop.wait()
        if self._expelled.is_set():
            self._running.wait_until_none(_ABORT_PATIENCE)
        else:
            self._guarded(self._drain)
        self._hosts.close()
        self._paces.keep()
        return self._why

    def _moment(self) -> Moment:
        cache = None if self._files is None else self._files.cache
        return Moment(
            node_id=self._link.node_id,
            slots=self._running.slots,
            running=[(job.slot, None if job.done else job.progress) for job in self._running.all()],
            draining=self._draining.is_set(),
            outbox=self._outbox.count(),
            cache_bytes=None if cache is None else cache.used(),
            cache_most=None if cache is None else cache.size,
        )

    def stop_now(self) -> None:
        """End running jobs at once and hand them back; what cannot be sent stays in the outbox.

        Returns when they have ended, or took too long.
        """
        for job in self._running.all():
            job.abort.set()
        self._ended.set()
        self._running.wait_until_none(_ABORT_PATIENCE)

    def _end_at_once(self, why: str) -> None:
        """The master has another agent in our place, or does not understand us: nothing of ours is wanted."""
        if not self._expelled.is_set():
            log.error("The master turns this agent away, and it stops: %s", why)
        self._expelled.set()
        self._why = why
        self._draining.set()
        for job in self._running.all():
            job.drop()
        self._ended.set()
        self._stop.set()

    # Taking jobs

    def _take_jobs(self) -> None:
        while not self._draining.is_set():
            if not self._running.wait_for_slot(1.0):
                continue
            asked_at = time.monotonic()
            try:
                answers, asked = self._link.persist(self._poll, "ask for a job", self._draining) or ([], 0.0)
            except (ApiError, RefusedError) as error:
                log.error("The master gives this node no jobs: %s", error)  # noqa: TRY400 - it says it all
                answers, asked = [], 0.0
            for answer in answers:
                self._begin(answer, asked)
            if not answers and time.monotonic() - asked_at < POLL_WAIT / 2:
                # The master would not let us wait: ask again later, not all agents at once.
                self._draining.wait(random.uniform(0.5, 1.0) * self._config.poll_interval)  # noqa: S311 - jitter

    def _poll(self) -> tuple[list[dict[str, Any]], float]:
        """The jobs that were given, one for each free slot at most, and when they were asked for."""
        asked, leases = lease_clock(), self._running.leases()
        most = max(1, min(self._running.slots - len(leases), self._link.terms.get("max_claims", 1)))
        return self._link.client.next_jobs(self._link.node_id, leases, POLL_WAIT, most), asked

    def _begin(self, answer: dict[str, Any], asked: float, after: RunningJob | None = None) -> None:
        assignment = assignment_of(answer)
        with about(
            job_id=assignment.job_id,
            request_id=assignment.request_id,
            node_id=self._link.node_id,
            attempt=assignment.attempt,
        ):
            self._take(assignment, asked, after)

    def _take(self, assignment: Assignment, asked: float, after: RunningJob | None) -> None:
        job = self._running.add(assignment, asked, after)
        if job is None:
            log.debug("Job %s was given twice, and has begun", assignment.job_id)
            return
        log.info("Received job: %s (scenario: %s)", assignment.job_id, assignment.scenario)
        log.debug("%s", assignment.heading(self._link.node_id))
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
            self._thread(teller.go_on, f"progress-{assignment.job_id[:8]}").start()
            if self._draining.is_set():
                job.abort.set()  # it was answered after we had said goodbye
            else:
                log.info("Executing job %s...", assignment.job_id)
            if not is_fresh(job.renewed, self._link.term, lease_clock()):
                self._heartbeats.send()  # the poll was parked for long; the next one may be too late
            self._let_others_end(job)
            report = run_job(
                assignment,
                self._link.node_id,
                self._toolbox,
                self._spawner,
                self._config.work_dir,
                teller.tell,
                job.abort,
                may_work=lambda: self._may_work(job),
                limits=partial(limits_for, cores=len(os.sched_getaffinity(0))),
                sandbox=self._sandbox,
                inputs=self._config.inputs,
                outputs=self._config.outputs,
                account=self._account,
                paces=self._paces,
                files=self._files,
                hosts=self._hosts,
                clips=self._config.state_dir / "clips",
            )
            self._running.finish(job)
            unsent = teller.close()
            if report is not None:
                self._deliver(report, unsent, job)
            elif job.unwanted:
                self._metrics.attempts.labels("unwanted").inc()
                log.info("Job %s was ended: the master does not want it any more", assignment.job_id)
            else:
                self._metrics.attempts.labels("handed_back").inc()
                self._hand_back(assignment)
        finally:
            teller.close()
            self._running.remove(job)

    def _let_others_end(self, job: RunningJob) -> None:
        """The master gives up a job at once, but its ffmpeg ends only when we hear of it."""
        if runs_alone(job.assignment.confidence, job.assignment.parameters):
            deadline = time.monotonic() + _ALONE_PATIENCE
            while not self._running.wait_until_alone(job, 0.5):
                if job.abort.is_set() or time.monotonic() > deadline:
                    return  # what it measures will say that it had company

    def _lease_holds(self, job: RunningJob) -> bool:
        return lease_holds(job.renewed, self._link.term, lease_clock())

    def _may_work(self, job: RunningJob) -> bool:
        """Whether the job's lease is known to hold: the master may give away what is not heard of."""
        holds = self._lease_holds(job)
        if holds and job.suspended:
            log.info("Job %s goes on: its lease holds", job.assignment.job_id)
        elif not holds and not job.suspended:
            log.warning("Job %s is suspended until the master answers", job.assignment.job_id)
        job.suspended = not holds
        return holds

    def _deliver(self, report: Report, log_lines: Sequence[str], job: RunningJob) -> None:
        if report.error is None:
            log.info("Job %s completed successfully", report.job_id)
        else:
            log.warning("Job %s failed: %s (%s)", report.job_id, report.error.message, report.error.code)
        self._metrics.reported(report)
        self._outbox.keep(report, self._link.instance)
        deliver(report, log_lines, self._outbox, lambda said, lines: self._send(said, lines, job))

    def _send(self, report: Report, log_lines: Sequence[str], job: RunningJob) -> bool:
        """Whether the master has the report; False if the agent ended first.

        The slot is free then: the answer may have the next job for it.
        """

        def send() -> tuple[dict[str, Any], float]:
            asked = lease_clock()
            # Anew with each try: if the answer is lost, they tell that its job did not arrive.
            leases = None if self._draining.is_set() else self._running.leases()
            return self._link.client.report(report, log_lines, leases), asked

        answered = self._link.persist(send, "send results", self._ended)
        if answered is None:
            return False
        self._running.reported(job)
        answer, asked = answered
        if (following := answer.get("next")) is not None:
            self._begin(following, asked, after=job)
        return True

    def _hand_back(self, assignment: Assignment) -> None:
        try:
            self._link.call(
                lambda: self._link.client.release(assignment.job_id, self._link.node_id, assignment.lease_id)
            )
            log.info("Job %s was handed back", assignment.job_id)
        except (ApiError, requests.RequestException, RefusedError) as error:
            if isinstance(error, ApiError) and error.slug == "stale_lease":
                log.info("Job %s is not ours any more: it was handed back, or given away", assignment.job_id)
            else:
                log.warning("Job %s could not be handed back: %s", assignment.job_id, error)

    def _tidy(self) -> None:
        config, begun, told = self._config, _clocks(), False
        while True:
            now = _clocks()
            ahead = set_ahead(begun, now)
            if ahead and not told:
                log.warning(
                    "The clock was set ahead: until it is right again, outputs go by size and not by age"
                )
            told = ahead
            most_seconds = math.inf if ahead else config.keep_outputs
            prune(config.work_dir, now.wall, most_seconds, config.keep_outputs_size, self._running.job_ids)
            self._paces.keep()
            if self._ended.wait(_TIDY_INTERVAL):
                return

    # Leaving

    def _drain(self) -> None:
        """Take nothing new, let running jobs finish in time, hand the others back, say goodbye."""
        self._draining.set()
        log.info("Stopping: %d job(s) are running", len(self._running.all()))
        self._say(self._heartbeats.send)  # tells the master to give us nothing more
        if not self._running.wait_until_none(self._config.drain_timeout):
            log.warning("Stopping: the time to drain is over; handing the jobs back")
            self.stop_now()
        self._ended.set()
        if not self._outbox.empty():
            return  # a goodbye would hand back the finished jobs, which the next start reports
        self._say(self._leave)

    def _leave(self) -> None:
        try:
            self._link.leave()
        except (ApiError, requests.RequestException) as error:
            log.debug("No goodbye: %s", error)

    def _say(self, what: Callable[[], None]) -> None:
        """Tell the master, and do not wait long for its answer: nothing depends on it."""
        thread = self._thread(what, "goodbye")
        thread.start()
        thread.join(_GOODBYE_PATIENCE)

    def _thread(self, target: Callable[[], None], name: str) -> threading.Thread:
        # What it logs is about the same as what its starter logs.
        run = copy_context().run
        return threading.Thread(target=run, args=(self._guarded, target), name=name, daemon=True)

    def _guarded(self, work: Callable[[], None]) -> None:
        """An agent that only seems to work is worse than one that ends and is started anew."""
        try:
            work()
        except Exception:
            log.exception("The agent made a mistake, and stops")
            self._why = "stopped by a mistake of its own; the log above says where"
            self._stop.set()


def _clocks() -> Clocks:
    return Clocks(time.time(), lease_clock())
