"""In a history from which nothing is missing every event fits; where something is, not all do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from common.model import (
    Attempt,
    Confidence,
    Constraints,
    Failure,
    Job,
    JobStatus,
    Outcome,
    Priority,
    Role,
    Token,
    Webhook,
)
from master.lifecycle import Record, apply, events, fits
from master.lifecycle.events import Event, RecordKey
from master.service.farm import Farm
from master.store.told import Told
from tests.core.busy_farm import BusyFarm

AT = datetime(2026, 1, 1, tzinfo=UTC)
LOST = Failure("node_lost", "it was lost")


class FittingFarm(BusyFarm):
    """Whatever happens is followed on records of its own, and must fit them."""

    def start(self) -> Farm:
        farm = super().start()
        self.followed: dict[RecordKey, Record] = getattr(self, "followed", {})
        farm.store.subscribe(self.follow)
        return farm

    def follow(self, told: Told) -> None:
        for event in told.events:
            assert fits(self.followed.get(event.key), event), event
            after = apply(self.followed.pop(event.key, None), event)
            if after is not None:
                self.followed[event.key] = after


def test_every_event_of_a_whole_history_fits() -> None:
    run_state_machine_as_test(FittingFarm, settings=settings(max_examples=40, deadline=None))


def job(status: JobStatus, *numbers: int) -> Job:
    """A job with attempts on node `n`."""
    attempts = tuple(Attempt(number, f"lease-{number}", "n", AT) for number in numbers)
    return Job(
        "j", 1, "720p-h264", Confidence.AUTO, {}, Priority.MEDIUM, Constraints(), AT, 3, status, attempts
    )


COMPLETED_BY_N: dict[str, Any] = {"node_id": "n", "metrics": {}, "analyzer_output": {}, "report_digest": ""}
TOKEN = Token("t", "used-up", Role.JOIN, "hash", AT, AT, uses_left=0)
WEBHOOK = Webhook("w", "chat", "https://hooks.example.com/", (), AT, 0)
REQUEUED_BY_N: dict[str, Any] = {"node_id": "n", "outcome": Outcome.LOST, "error": LOST, "delay": 0.0}


@pytest.mark.parametrize(
    ("record", "event"),
    [
        (None, events.JobClaimed("j", AT, "n", "lease-1", 1)),
        (job(JobStatus.PENDING, 2), events.JobClaimed("j", AT, "n", "lease-2", 2)),
        (job(JobStatus.RUNNING, 1), events.JobClaimed("j", AT, "n", "lease-2", 2)),
        (job(JobStatus.PENDING), events.JobCompleted("j", AT, **COMPLETED_BY_N)),
        (job(JobStatus.RUNNING, 1), events.JobCompleted("j", AT, **COMPLETED_BY_N | {"node_id": "m"})),
        (job(JobStatus.COMPLETED, 1), events.JobRequeued("j", AT, **REQUEUED_BY_N)),
        (job(JobStatus.FAILED, 1), events.JobCanceled("j", AT, None, LOST)),
        (job(JobStatus.PENDING), events.JobCanceled("j", AT, "n", LOST)),
        (job(JobStatus.RUNNING, 1), events.JobTwinCompleted("j", AT, None, "t", LOST, {}, {})),
        (job(JobStatus.CANCELED), events.JobTwinCompleted("j", AT, None, "t", LOST, {}, {})),
        (job(JobStatus.PENDING), events.JobTwinFailed("j", AT, "t", LOST)),
        (job(JobStatus.RUNNING, 1), events.JobPaused("j", AT)),
        (job(JobStatus.PENDING), events.JobResumed("j", AT)),
        (job(JobStatus.PENDING), events.JobSubmitted(job(JobStatus.PENDING), AT)),
        (None, events.NodeDraining("n", AT)),
        (job(JobStatus.PENDING), events.NodeRemoved("j", AT)),
        (None, events.TokenUsed("t", AT, "n")),
        (TOKEN, events.TokenUsed("t", AT, "n")),
        (TOKEN, events.TokenCreated(TOKEN, AT)),
        (job(JobStatus.PENDING), events.TokenRevoked("j", AT)),
        (WEBHOOK, events.WebhookCreated(WEBHOOK, AT)),
        (None, events.WebhookRemoved("w", AT)),
        (TOKEN, events.WebhookResumed("t", AT)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_have_happened_does_not_fit(record: Record | None, event: Event) -> None:
    assert not fits(record, event)
