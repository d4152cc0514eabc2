"""`POST /jobs/{id}/progress` shows how far an attempt is and renews its lease."""

from __future__ import annotations

from typing import Any

import pytest

from common import problems
from common.progress import MOST_AGE
from tests.api.corner import Corner, got, refused, refused_fields
from tests.masters import Client, wait_until

HALF = {"frame": 150, "fps": 60.5, "speed": 2.0, "out_time": 5.0, "percent": 50, "seconds_left": 12.5}


def send(corner: Corner, claimed: dict[str, Any], **fields: Any) -> Any:
    sent = {"node_id": claimed["node_id"], "lease_id": claimed["lease_id"], **fields}
    return corner.client.post(f"/jobs/{claimed['id']}/progress", json=sent)


def test_progress_is_shown_with_the_job(corner: Corner) -> None:
    _, claimed = corner.start()
    assert got(send(corner, claimed, **HALF)) == {"lease_expires_in": 3600}
    shown = corner.job(claimed["id"])["progress"]
    left, percent = shown.pop("seconds_left"), shown.pop("percent")
    assert shown == {name: HALF[name] for name in shown}
    assert HALF["seconds_left"] - MOST_AGE <= left <= HALF["seconds_left"]
    assert HALF["percent"] <= percent < 100


def test_what_is_not_sent_is_unknown(corner: Corner) -> None:
    _, claimed = corner.start()
    got(send(corner, claimed, frame=1))
    assert corner.job(claimed["id"])["progress"] == dict.fromkeys(HALF) | {"frame": 1}


def test_progress_renews_the_lease(corner: Corner) -> None:
    _, claimed = corner.start()
    wait_until(lambda: corner.job(claimed["id"])["lease_expires_in"] < 3599.98, "some time passes")
    before = corner.job(claimed["id"])["lease_expires_in"]
    got(send(corner, claimed))
    assert corner.job(claimed["id"])["lease_expires_in"] > before


def test_progress_of_a_canceled_job_is_stale_so_the_agent_ends_the_attempt(corner: Corner) -> None:
    _, claimed = corner.start()
    got(corner.client.post(f"/jobs/{claimed['id']}/cancel"))
    problem = refused(send(corner, claimed, **HALF), problems.STALE_LEASE)
    assert (problem["job_id"], problem["job_status"]) == (claimed["id"], "canceled")


def test_progress_with_the_lease_of_another_attempt_is_stale(corner: Corner) -> None:
    _, claimed = corner.start()
    refused(send(corner, claimed, lease_id="another"), problems.STALE_LEASE)
    assert corner.job(claimed["id"])["progress"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("frame", -1),
        ("frame", "150"),
        ("frame", 1.5),
        ("fps", "60"),
        ("speed", -0.1),
        ("percent", 101),
        ("seconds_left", -1),
        ("seconds_left", "soon"),
        ("log", "one line"),
        ("log", [1]),
        ("log", ["x"] * 2001),
        ("log", ["x" * 4001]),
        ("lease_id", None),
        ("node_id", 5),
        ("eta", 5),
    ],
)
def test_a_field_that_does_not_fit_is_named(corner: Corner, field: str, value: Any) -> None:
    _, claimed = corner.start()
    assert refused_fields(send(corner, claimed, **{field: value}))[0].startswith(field)


def test_progress_of_an_unknown_job_is_not_found(client: Client) -> None:
    answer = client.post("/jobs/nothing/progress", json={"node_id": "a", "lease_id": "b"})
    refused(answer, problems.UNKNOWN_JOB)
