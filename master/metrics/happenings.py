"""What the events of the history count for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import Counter, Histogram, Summary

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


class _Tally:
    """What many events add: to look up a counter, and its lock, take longer than all else here."""

    def __init__(self) -> None:
        self._amounts: defaultdict[tuple[Counter, tuple[str, ...]], float] = defaultdict(float)
        self._timed: dict[tuple[Histogram | Summary, tuple[str, ...]], Histogram | Summary] = {}

    def add(self, counter: Counter, *labels: str, amount: float = 1) -> None:
        self._amounts[counter, labels] += amount

    def observe(self, value: float, by: Histogram | Summary, *labels: str) -> None:
        child = self._timed.get((by, labels))
        if child is None:
            child = self._timed[by, labels] = by.labels(*labels)
        child.observe(value)

    def pay(self) -> None:
        """Add all of it."""
        for (counter, labels), amount in self._amounts.items():
            (counter.labels(*labels) if labels else counter).inc(amount)


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
        tally = _Tally()
        try:
            for each in heard:
                if each.event is not None:
                    self._count(each.event, tally)
        finally:
            tally.pay()

    def _count(self, event: e.Event, tally: _Tally) -> None:
        tally.add(self._to.events, NAMES[type(event)])
        if isinstance(event, e.JobSubmitted):
            if event.job.twin_of is None:
                tally.add(self._to.submitted, scenario_label(event.job.scenario), event.job.priority)
        elif isinstance(event, e.NodeLost):
            tally.add(self._to.nodes_lost)
        elif isinstance(event, e.JobEvent):
            self._of_job(event, self._job(event.job_id), tally)

    def _of_job(self, event: e.JobEvent, job: Job | None, tally: _Tally) -> None:
        scenario = scenario_label(None if job is None else job.scenario)
        if isinstance(event, e.JobClaimed):
            if job is not None:
                self._claimed(event, job, scenario, tally)
            return
        is_twin = job is not None and job.twin_of is not None
        if (status := _FINISHED.get(type(event))) is not None and not is_twin:
            tally.add(self._to.finished, scenario, status)
        ended = _outcome(event)
        if ended is None:
            return
        tally.add(self._to.attempts, scenario, ended)
        if isinstance(event, e.JobRequeued | e.JobFailed) and ended is not Outcome.HANDED_BACK:
            tally.add(self._to.failures, code_label(event.error.code))
        attempt = None if job is None else _attempt_that_ended(job, event)
        if attempt is not None:
            took = (event.at - attempt.started_at).total_seconds()
            tally.observe(max(0.0, took), self._to.attempt, scenario, ended)
        if isinstance(event, e.JobCompleted):
            self._made(event, scenario, job, tally)

    def _claimed(self, event: e.JobClaimed, job: Job, scenario: str, tally: _Tally) -> None:
        tally.add(self._to.claims, scenario, job.priority)
        if job.attempts and job.attempts[0].lease_id == event.lease_id and job.twin_of is None:
            waited = (event.at - job.created_at).total_seconds()
            tally.observe(max(0.0, waited), self._to.queued, job.priority)

    def _made(self, event: e.JobCompleted, scenario: str, job: Job | None, tally: _Tally) -> None:
        """Once, though a family's result has what its parts took, and what a ladder's rungs made."""
        sums_up = job is not None and job.stage is Stage.JOIN
        split = job is not None and asked(job.parameters) is not None
        if (split or not sums_up) and (job is None or not job.stage.between):
            made = {
                "frames": self._to.frames,
                "duration": self._to.video_seconds,
                "output_bytes": self._to.output_bytes,
            }
            _add(event.metrics, made, scenario, tally)
        if sums_up:
            return
        used = {"cpu_seconds": self._to.cpu_seconds, "energy_joules": self._to.energy_joules}
        _add(event.metrics, used, scenario, tally)
        for name, summary in (("speed", self._to.speed), ("fps", self._to.fps)):
            rate = _number(event.metrics.get(name))
            if rate is not None:
                tally.observe(rate, summary, scenario, event.node_id)


def _add(
    metrics: Mapping[str, Scalar], counters: Mapping[str, Counter], scenario: str, tally: _Tally
) -> None:
    for name, counter in counters.items():
        amount = _number(metrics.get(name))
        if amount is not None:
            tally.add(counter, scenario, amount=amount)


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
