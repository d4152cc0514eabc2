"""A report that the master refuses is not made again and again: the job fails, and says why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.delivery import deliver
from agent.link import RefusedError
from agent.outbox import Outbox
from common.client import ApiError
from common.model import JobStatus, Report


def refusal(status: int, slug: str) -> ApiError:
    return ApiError(status, {"type": f"urn:ffrtmp:problem:{slug}", "detail": "no"})


class Master:
    """Refuses reports with metrics, or all; keeps the others."""

    def __init__(self, error: ApiError | RefusedError, *, all_reports: bool = False) -> None:
        self.error, self.all_reports = error, all_reports
        self.accepted: list[Report] = []
        self.asked = 0

    def send(self, report: Report, _log: Sequence[str]) -> bool:
        self.asked += 1
        if report.metrics or self.all_reports:
            raise self.error
        self.accepted.append(report)
        return True


@pytest.fixture
def report() -> Report:
    return Report("job-1", "node-1", JobStatus.COMPLETED, "lease-1", 1, metrics={"frames": 30})


@pytest.fixture
def outbox(tmp_path: Path, report: Report) -> Outbox:
    outbox = Outbox(tmp_path)
    outbox.keep(report, "instance-1")
    return outbox


@pytest.mark.parametrize(("status", "slug"), [(400, "invalid"), (413, "too_large")])
def test_the_job_fails_with_the_masters_reason(
    status: int, slug: str, report: Report, outbox: Outbox
) -> None:
    master = Master(refusal(status, slug))
    deliver(report, [], outbox, master.send)
    (bare,) = master.accepted
    assert (bare.status, bare.lease_id) == (JobStatus.FAILED, "lease-1")
    assert bare.error is not None
    assert (bare.error.code, bare.error.message) == ("agent_error", "the master refused the result: no")
    assert outbox.empty()


def test_a_failure_that_is_refused_too_is_given_up(report: Report, outbox: Outbox) -> None:
    master = Master(refusal(400, "invalid"), all_reports=True)
    deliver(report, [], outbox, master.send)
    assert (master.asked, master.accepted) == (2, [])
    assert outbox.empty()


@pytest.mark.parametrize(
    "error",
    [
        *(refusal(409, slug) for slug in ("stale_lease", "result_mismatch", "unknown_job")),
        refusal(409, "identity_in_use"),
        refusal(401, "unauthenticated"),
        RefusedError(refusal(403, "forbidden")),
    ],
    ids=lambda error: f"{type(error).__name__}-{error.slug}",
)
def test_a_result_that_nobody_wants_is_dropped(
    error: ApiError | RefusedError, report: Report, outbox: Outbox
) -> None:
    master = Master(error)
    deliver(report, [], outbox, master.send)
    assert (master.asked, master.accepted) == (1, [])
    assert outbox.empty()


def test_a_result_that_a_newer_agent_can_send_is_kept(report: Report, outbox: Outbox) -> None:
    master = Master(refusal(409, "protocol_mismatch"))
    deliver(report, [], outbox, master.send)
    assert (master.asked, master.accepted) == (1, [])
    assert list(outbox.left()) == [("instance-1", report)]


def test_a_result_that_could_not_be_sent_is_kept(report: Report, outbox: Outbox) -> None:
    deliver(report, [], outbox, lambda _report, _log: False)
    assert list(outbox.left()) == [("instance-1", report)]
