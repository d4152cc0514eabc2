"""`POST /results?next=1` takes a report and leases the node's next job, and is as safe to repeat as both."""

from __future__ import annotations

from typing import Any

import pytest

from common import problems
from tests.api.corner import Corner, got, refused, refused_fields

NEXT = {"next": "1"}


def nothing_held(corner: Corner, node_id: str) -> bool:
    """Whether a node that knows of no lease is told of none: nothing was claimed for it."""
    return bool(got(corner.client.post(f"/nodes/{node_id}/heartbeat"))["leases"] == [])


def test_the_answer_has_the_next_job_as_a_poll_would_have_had_it(corner: Corner) -> None:
    node, claimed = corner.start()
    job = corner.submit()
    answer = got(corner.report(claimed, NEXT))
    following = answer.pop("next")
    assert answer == {"job_id": claimed["id"], "node_id": node["id"], "status": "completed"}
    assert set(following) == set(claimed)
    assert (following["id"], following["node_id"], following["attempt"]) == (job["id"], node["id"], 1)
    assert 3500 < following["lease_expires_in"] <= 3600
    assert corner.job(claimed["id"])["status"] == "completed"
    got(corner.report(following))


def test_if_there_is_no_job_for_the_node_it_is_null(corner: Corner) -> None:
    node, claimed = corner.start()
    assert got(corner.report(claimed, NEXT))["next"] is None
    assert nothing_held(corner, node["id"])


@pytest.mark.parametrize("query", [None, {"next": "0"}])
def test_without_the_wish_the_answer_is_as_ever_and_nothing_is_claimed(
    corner: Corner, query: dict[str, str] | None
) -> None:
    node, claimed = corner.start()
    corner.submit()
    assert "next" not in got(corner.report(claimed, query))
    assert nothing_held(corner, node["id"])


def test_a_report_that_is_refused_claims_nothing(corner: Corner) -> None:
    node, claimed = corner.start()
    waiting = corner.submit()
    refused(corner.report(claimed, NEXT, lease_id="another"), problems.STALE_LEASE)
    got(corner.client.post(f"/jobs/{claimed['id']}/cancel"))
    refused(corner.report(claimed, NEXT), problems.STALE_LEASE)
    assert nothing_held(corner, node["id"])
    assert corner.job(waiting["id"])["status"] == "pending"


def test_a_node_that_drains_gets_no_other_job(corner: Corner) -> None:
    node, claimed = corner.start()
    corner.submit()
    got(corner.client.post(f"/nodes/{node['id']}/drain"))
    assert got(corner.report(claimed, NEXT))["next"] is None


def test_a_failed_job_that_may_run_again_at_once_is_not_kept_from_the_queue(corner: Corner) -> None:
    _, claimed = corner.start()
    error = {"code": "encoder_error", "message": "it broke"}
    job = corner.submit()
    assert got(corner.report(claimed, NEXT, status="failed", error=error))["next"]["id"] == job["id"]


def test_after_a_lost_answer_the_same_report_gets_the_same_lease_again(corner: Corner) -> None:
    node, claimed = corner.start()
    for _ in range(2):
        corner.submit()
    held = {**NEXT, "leases": claimed["lease_id"]}
    lost = got(corner.report(claimed, held))
    again = got(corner.report(claimed, held))
    for answer in (lost, again):
        answer["next"].pop("lease_expires_in")
    assert again == lost
    assert got(corner.client.post(f"/nodes/{node['id']}/heartbeat"))["leases"] == [lost["next"]["lease_id"]]


def test_after_a_lost_answer_a_poll_gets_its_lease_again_too(corner: Corner) -> None:
    node, claimed = corner.start()
    corner.submit()
    lost = got(corner.report(claimed, NEXT))["next"]
    assert corner.poll(node["id"], leases="")["job"]["lease_id"] == lost["lease_id"]


def test_a_repeat_that_does_not_say_what_is_held_gets_no_job(corner: Corner) -> None:
    node = corner.register(max_concurrent_jobs=4)
    for _ in range(3):
        corner.submit()
    claimed = corner.poll(node["id"])["job"]
    first = got(corner.report(claimed, NEXT))["next"]
    assert got(corner.report(claimed, NEXT))["next"] is None
    assert got(corner.client.post(f"/nodes/{node['id']}/heartbeat"))["leases"] == [first["lease_id"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [({"next": "2"}, "next"), ({"next": "true"}, "next"), ({"max": "2"}, "max"), ({"nxt": "1"}, "nxt")],
)
def test_a_wish_that_is_none_is_refused_and_nothing_is_taken(
    corner: Corner, query: dict[str, Any], field: str
) -> None:
    _, claimed = corner.start()
    assert refused_fields(corner.report(claimed, query)) == [field]
    assert corner.job(claimed["id"])["status"] == "running"
