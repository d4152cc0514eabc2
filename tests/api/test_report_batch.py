"""`POST /results/batch` takes up to 100 reports in one step, and refuses each that is to be refused alone."""

from __future__ import annotations

from typing import Any

import pytest

from common import problems
from common.schema import MAX_REPORTS
from tests.api.corner import Corner, everything, got, refused, refused_fields
from tests.masters import Client, Master


def claim(corner: Corner, count: int) -> list[dict[str, Any]]:
    """Jobs that run on one node."""
    job = {"scenario": "720p-h264", "constraints": {"labels": corner.labels}}
    got(corner.client.post("/jobs/batch", json={"jobs": [job] * count}), 201)
    node = corner.register(max_concurrent_jobs=count)
    jobs: list[dict[str, Any]] = corner.poll(node["id"], max=count)["jobs"]
    return jobs


def send(corner: Corner, *reports: dict[str, Any]) -> list[dict[str, Any]]:
    answer = got(corner.client.post("/results/batch", json={"reports": reports}))
    outcomes: list[dict[str, Any]] = answer["reports"]
    assert answer["count"] == len(outcomes) == len(reports)
    for outcome, report in zip(outcomes, reports, strict=True):
        assert [outcome[name] for name in ("job_id", "node_id", "status")] == [
            report[name] for name in ("job_id", "node_id", "status")
        ]
    return outcomes


def test_all_are_taken_and_answered_in_their_order(corner: Corner) -> None:
    done, failed = claim(corner, 2)
    error = {"code": "encoder_error", "message": "it broke"}
    outcomes = send(
        corner,
        corner.reported(done, metrics={"frames": 300}, log=["said"]),
        corner.reported(failed, status="failed", error=error),
    )
    assert [outcome["problem"] for outcome in outcomes] == [None, None]
    result = got(corner.client.get(f"/jobs/{done['id']}/result"))
    assert (result["status"], result["metrics"]) == ("completed", {"frames": 300})
    assert got(corner.client.get(f"/jobs/{done['id']}/logs"))["lines"] == ["said"]
    assert corner.job(failed["id"])["error"] == error


def test_what_is_refused_says_why_as_alone_and_loses_nothing_of_the_others(corner: Corner) -> None:
    first, stale, canceled, again, last = claim(corner, 5)
    got(corner.client.post(f"/jobs/{canceled['id']}/cancel"))
    got(corner.report(again, metrics={"frames": 1}))
    wrong = [
        corner.reported(stale, lease_id="another"),
        corner.reported(canceled),
        corner.reported(again, metrics={"frames": 2}),
        corner.reported(last, job_id="nothing"),
    ]
    alone = [corner.client.post("/results", json=each) for each in wrong]
    outcomes = send(corner, corner.reported(first), *wrong, corner.reported(last))
    assert [each["problem"] is None for each in outcomes] == [True, *[False] * 4, True]
    for outcome, answer in zip(outcomes[1:5], alone, strict=True):
        expected = answer.json()
        assert {**outcome["problem"], "request_id": ""} == {**expected, "request_id": ""}
    assert [corner.job(job["id"])["status"] for job in (first, stale, last)] == [
        "completed",
        "running",
        "completed",
    ]


def test_the_same_batch_again_gets_the_same_outcomes_and_changes_nothing(corner: Corner) -> None:
    first, second = claim(corner, 2)
    reports = [corner.reported(first), corner.reported(second, log=["once"]), corner.reported(first)]
    outcomes = send(corner, *reports)
    assert [outcome["problem"] for outcome in outcomes] == [None] * 3
    jobs = [corner.job(job["id"]) for job in (first, second)]
    assert send(corner, *reports) == outcomes
    assert [corner.job(job["id"]) for job in (first, second)] == jobs
    assert got(corner.client.get(f"/jobs/{second['id']}/logs"))["lines"] == ["once"]


def test_one_that_does_not_fit_its_schema_refuses_all_and_is_named(corner: Corner) -> None:
    first, second = claim(corner, 2)
    reports = [corner.reported(first), corner.reported(second, metrics={"frames": "300"})]
    answer = corner.client.post("/results/batch", json={"reports": reports})
    assert refused_fields(answer) == ["reports.1.metrics.frames"]
    assert corner.job(first["id"])["status"] == "running"


def test_one_of_another_node_refuses_all(master: Master, corner: Corner) -> None:
    theirs = claim(corner, 1)[0]
    corner.submit()
    credential = f"of-{theirs['id']}"
    own = corner.register(credential=credential)
    with master.client(credential) as node:
        mine = Corner(node).poll(own["id"])["job"]
        reports = [corner.reported(each) for each in (mine, theirs)]
        refused(node.post("/results/batch", json={"reports": reports}), problems.FORBIDDEN)
        assert corner.job(mine["id"])["status"] == "running"
        assert send(Corner(node), reports[0])[0]["problem"] is None
    assert corner.job(theirs["id"])["status"] == "running"


def test_a_hundred_are_taken_and_one_more_is_not(corner: Corner) -> None:
    jobs = claim(corner, MAX_REPORTS)
    reports = [corner.reported(job) for job in jobs]
    before = everything(corner.client)
    answer = corner.client.post("/results/batch", json={"reports": [*reports, reports[0]]})
    assert refused_fields(answer) == ["reports"]
    assert everything(corner.client) == before
    assert {str(outcome["problem"]) for outcome in send(corner, *reports)} == {"None"}


@pytest.mark.parametrize("body", [{}, {"reports": []}, {"reports": {}}, {"reports": None}, {"reports": [5]}])
def test_what_is_no_batch_is_refused(client: Client, body: Any) -> None:
    refused(client.post("/results/batch", json=body), problems.INVALID)
