"""`POST /results` takes the report of an attempt once, and from its node only."""

from __future__ import annotations

from typing import Any

import pytest

from common import problems
from tests.api.corner import Corner, got, refused, refused_fields
from tests.masters import Client, Master


def test_the_guides_plain_report_completes_the_job_that_the_node_holds(corner: Corner) -> None:
    node, claimed = corner.start()
    sent = {"job_id": claimed["id"], "node_id": node["id"]}
    answer = got(corner.client.post("/results", json=sent))
    assert answer == {**sent, "status": "completed"}
    assert corner.job(claimed["id"])["status"] == "completed"


def test_a_full_report_is_kept(corner: Corner) -> None:
    _, claimed = corner.start()
    metrics = {"frames": 300, "fps": 75.5, "codec": "h264", "peak_memory_bytes": None, "my_own": "x"}
    got(corner.report(claimed, metrics=metrics, analyzer_output={"recommendation": "keep it"}))
    result = got(corner.client.get(f"/jobs/{claimed['id']}/result"))
    assert result["metrics"] == metrics
    assert result["analyzer_output"] == {"recommendation": "keep it"}


@pytest.mark.parametrize("plain", [True, False])
def test_the_same_report_again_gets_the_same_answer_and_changes_nothing(corner: Corner, plain: bool) -> None:
    _, claimed = corner.start()
    leave_out = {"lease_id": None, "attempt": None} if plain else {}
    first = corner.report(claimed, metrics={"frames": 300}, **leave_out)
    job = corner.job(claimed["id"])
    again = corner.report(claimed, metrics={"frames": 300}, **leave_out)
    assert (again.status_code, again.content) == (first.status_code, first.content) == (200, first.content)
    assert corner.job(claimed["id"]) == job


def test_another_report_for_the_same_lease_is_refused_and_the_first_stands(corner: Corner) -> None:
    _, claimed = corner.start()
    got(corner.report(claimed, metrics={"frames": 300}))
    refused(corner.report(claimed, metrics={"frames": 301}), problems.RESULT_MISMATCH)
    refused(corner.report(claimed, status="failed", error="no"), problems.RESULT_MISMATCH)
    assert got(corner.client.get(f"/jobs/{claimed['id']}/result"))["metrics"] == {"frames": 300}


@pytest.mark.parametrize("wrong", [{"lease_id": "another"}, {"attempt": 2}])
def test_a_report_of_another_attempt_is_stale(corner: Corner, wrong: dict[str, Any]) -> None:
    _, claimed = corner.start()
    problem = refused(corner.report(claimed, **wrong), problems.STALE_LEASE)
    assert problem["job_status"] == "running"
    assert corner.job(claimed["id"])["status"] == "running"


def test_a_report_that_comes_after_the_job_went_back_is_stale(corner: Corner) -> None:
    node, claimed = corner.start()
    corner.client.delete(f"/nodes/{node['id']}")
    refused(corner.report(claimed), problems.STALE_LEASE)
    assert corner.job(claimed["id"])["status"] == "pending"


def test_a_report_for_a_canceled_job_is_stale(corner: Corner) -> None:
    _, claimed = corner.start()
    got(corner.client.post(f"/jobs/{claimed['id']}/cancel"))
    refused(corner.report(claimed), problems.STALE_LEASE)
    assert corner.job(claimed["id"])["status"] == "canceled"


def test_a_report_for_a_job_that_another_node_holds_is_stale(corner: Corner) -> None:
    _, claimed = corner.start()
    other = corner.register()
    refused(corner.report(claimed, node_id=other["id"]), problems.STALE_LEASE)
    assert corner.job(claimed["id"])["status"] == "running"


def test_a_node_may_not_report_for_another_node(master: Master, corner: Corner) -> None:
    _, claimed = corner.start()
    credential = f"foreign-{claimed['id']}"
    corner.register(credential=credential)
    with master.client(credential) as stranger:
        sent = {"job_id": claimed["id"], "node_id": claimed["node_id"], "lease_id": claimed["lease_id"]}
        refused(stranger.post("/results", json=sent), problems.FORBIDDEN)
    assert corner.job(claimed["id"])["status"] == "running"


def test_an_error_may_be_a_plain_sentence(corner: Corner) -> None:
    _, claimed = corner.start()
    got(corner.report(claimed, status="failed", error="the disk is on fire"))
    job = corner.job(claimed["id"])
    assert job["error"] == {"code": "unspecified", "message": "the disk is on fire"}


def test_a_report_for_an_unknown_job_is_not_found(client: Client) -> None:
    answer = client.post("/results", json={"job_id": "nothing", "node_id": "nobody"})
    refused(answer, problems.UNKNOWN_JOB)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "running"),
        ("status", "done"),
        ("attempt", "1"),
        ("attempt", 0),
        ("metrics", [1]),
        ("metrics", {"frames": "300"}),
        ("metrics", {"frames": 1.5}),
        ("metrics", {"wall_seconds": -1}),
        ("metrics", {"codec": 264}),
        ("metrics", {"own": [1]}),
        ("metrics", {"Bad Name": 1}),
        ("analyzer_output", {"own": {"deep": 1}}),
        ("error", {"code": "x"}),
        ("error", 5),
        ("log", "one line"),
        ("surprise", 1),
    ],
)
def test_a_field_that_does_not_fit_is_named_and_the_job_runs_on(
    corner: Corner, field: str, value: Any
) -> None:
    _, claimed = corner.start()
    assert refused_fields(corner.report(claimed, **{field: value}))[0].startswith(field)
    assert corner.job(claimed["id"])["status"] == "running"


@pytest.mark.parametrize("missing", ["job_id", "node_id"])
def test_a_missing_id_is_named(client: Client, missing: str) -> None:
    sent = {"job_id": "a", "node_id": "b"}
    del sent[missing]
    assert refused_fields(client.post("/results", json=sent)) == [missing]
