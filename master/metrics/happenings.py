"""What the events of the history count for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import Counter

from common.model import Attempt, Job, Outcome, Scalar, Stage
from common.split import asked
from master.feed import Heard
from master.lifecycle import events as e
from master.lifecycle.audit import NAMES
from master.metrics.measures import Measures, code_label, scenario_label

_OUTCOMES: Mapping[type, Outcome] = {
    e.JobCompleted: Outcome.COMPLETED,
    e.JobDivided: Outcome.DIVIDED,
    e.JobNotDivided: Outcome.DIVIDED,
    e.JobCanceled: Outcome.CANCELED,
    e.JobTwinCompleted: Outcome.CANCELED,
}
_FINISHED: Mapping[type, str] = {
    e.JobCompleted: "completed",
    e.JobFailed: "failed",
    e.JobPartFailed: "failed",
    e.JobTwinCompleted: "completed",
    e.JobTwinFailed: "failed",
    e.JobDependencyFailed: "failed",
    e.JobCanceled: "canceled",
}


class Happenings:
    """Adds events to measures. An event names its job only, so the job is looked up.

    A twin (`master.lifecycle.twins`) is no job of its own here, but one more attempt at a part.
    """

    def __init__(self, measures: Measures, job: Callable[[str], Job | None]) -> None:
        """`job` answers a job as it is now, or None; it is asked without a lock."""
        self._to = measures
        self._job = job

    def hear(self, heard: Iterable[Heard]) -> None:
        """What the feed tells: events that are on disk, each once."""
        for event in (each.event for each in heard if each.event is not None):
            self._to.events.labels(NAMES[type(event)]).inc()
            if isinstance(event, e.JobSubmitted):
                if event.job.twin_of is None:
                    priority = event.job.priority.value
                    self._to.submitted.labels(scenario_label(event.job.scenario), priority).inc()
            elif isinstance(event, e.NodeLost):
                self._to.nodes_lost.inc()
            elif isinstance(event, e.JobEvent):
                self._of_job(event, self._job(event.job_id))

    def _of_job(self, event: e.JobEvent, job: Job | None) -> None:
        scenario = scenario_label(None if job is None else job.scenario)
        if isinstance(event, e.JobClaimed):
            if job is not None:
                self._claimed(event, job, scenario)
            return
        is_twin = job is not None and job.twin_of is not None
        if (status := _FINISHED.get(type(event))) is not None and not is_twin:
            self._to.finished.labels(scenario, status).inc()
        ended = _outcome(event)
        if ended is None:
            return
        self._to.attempts.labels(scenario, ended.value).inc()
        if isinstance(event, e.JobRequeued | e.JobFailed) and ended is not Outcome.HANDED_BACK:
            self._to.failures.labels(code_label(event.error.code)).inc()
        attempt = None if job is None else _attempt_that_ended(job, event)
        if attempt is not None:
            took = (event.at - attempt.started_at).total_seconds()
            self._to.attempt.labels(scenario, ended.value).observe(max(0.0, took))
        if isinstance(event, e.JobCompleted):
            self._made(event, scenario, job)

    def _claimed(self, event: e.JobClaimed, job: Job, scenario: str) -> None:
        self._to.claims.labels(scenario, job.priority.value).inc()
        if job.attempts and job.attempts[0].lease_id == event.lease_id and job.twin_of is None:
            waited = (event.at - job.created_at).total_seconds()
            self._to.queued.labels(job.priority.value).observe(max(0.0, waited))

    def _made(self, event: e.JobCompleted, scenario: str, job: Job | None) -> None:
        """Once, though a family's result has what its parts took, and what a ladder's rungs made."""
        sums_up = job is not None and job.stage is Stage.JOIN
        split = job is not None and asked(job.parameters) is not None
        if (split or not sums_up) and (job is None or not job.stage.between):
            made = {
                "frames": self._to.frames,
                "duration": self._to.video_seconds,
                "output_bytes": self._to.output_bytes,
            }
            _add(event.metrics, made, scenario)
        if sums_up:
            return
        used = {"cpu_seconds": self._to.cpu_seconds, "energy_joules": self._to.energy_joules}
        _add(event.metrics, used, scenario)
        for name, summary in (("speed", self._to.speed), ("fps", self._to.fps)):
            rate = _number(event.metrics.get(name))
            if rate is not None:
                summary.labels(scenario, event.node_id).observe(rate)


def _add(metrics: Mapping[str, Scalar], counters: Mapping[str, Counter], scenario: str) -> None:
    for name, counter in counters.items():
        amount = _number(metrics.get(name))
        if amount is not None:
            counter.labels(scenario).inc(amount)


def _outcome(event: e.JobEvent) -> Outcome | None:
    """How the attempt ended that `event` ends; None if it ends none."""
    if isinstance(event, e.JobRequeued | e.JobFailed):
        return event.outcome
    if isinstance(event, e.JobCanceled | e.JobTwinCompleted) and event.node_id is None:
        return None
    return _OUTCOMES.get(type(event))


def _attempt_that_ended(job: Job, event: e.JobEvent) -> Attempt | None:
    """Looked for by its end: another may run already."""
    return next((each for each in reversed(job.attempts) if each.ended_at == event.at), None)


def _number(value: Scalar) -> float | None:
    """None for what is unknown, and for what cannot be counted."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return float(value) if known and value is not None else None
