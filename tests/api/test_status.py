"""`GET /status` says how the master stands: nodes, slots, what waits, and what nobody can take."""

from __future__ import annotations

from typing import Any

import pytest

from common.model import JobStatus, NodeStatus, Priority
from common.version import PROTOCOL, VERSION
from tests.api.corner import Corner, got
from tests.api.test_divisible_inputs import divisible
from tests.masters import Client


def _status(corner: Corner) -> dict[str, Any]:
    answer: dict[str, Any] = got(corner.client.get("/status"))
    return answer


def test_it_names_the_version_and_counts_jobs_and_nodes(corner: Corner) -> None:
    before = _status(corner)
    assert (before["version"], before["paused"]) == (VERSION, False)
    assert list(before["jobs"]) == list(JobStatus)
    assert list(before["nodes"]) == list(NodeStatus)
    corner.register()
    after = _status(corner)
    assert after["nodes"]["available"] == before["nodes"]["available"] + 1
    assert after["uptime"] > before["uptime"]


def test_it_says_how_many_jobs_are_parts_of_others(corner: Corner) -> None:
    root = corner.labels["corner"]
    node = corner.register({"Ffrtmp-Protocol": str(PROTOCOL)}, media_roots=[root])
    before = _status(corner)
    film = corner.submit(input=f"media:{root}/a.mp4", parameters={"split": 4, "crf": 23})["id"]
    got(corner.report(corner.poll(node["id"])["job"], findings={"divisible": divisible()}))
    after = _status(corner)
    assert list(after["parts"]) == list(JobStatus)
    more = {name: after[name]["pending"] - before[name]["pending"] for name in ("jobs", "parts")}
    assert more == {"jobs": 6, "parts": 5}
    got(corner.client.post(f"/jobs/{film}/cancel"))


def test_slots_are_used_by_jobs_and_free_on_nodes_that_are_given_jobs(corner: Corner, client: Client) -> None:
    before = _status(corner)["slots"]
    node = corner.register(max_concurrent_jobs=3)
    corner.submit()
    assert corner.poll(node["id"])["job"] is not None
    assert _status(corner)["slots"] == {"used": before["used"] + 1, "free": before["free"] + 2}
    got(client.post(f"/nodes/{node['id']}/drain"))
    assert _status(corner)["slots"] == before


@pytest.mark.parametrize("priority", list(Priority))
def test_what_waits_is_counted_by_priority_with_the_age_of_the_oldest(
    corner: Corner, priority: Priority
) -> None:
    before = _status(corner)["waiting"][priority]["jobs"]
    job = corner.submit(priority=priority)
    waiting = _status(corner)["waiting"][priority]
    assert waiting["jobs"] == before + 1
    assert waiting["oldest"] >= 0
    got(corner.client.post(f"/jobs/{job['id']}/cancel"))
    assert _status(corner)["waiting"][priority]["jobs"] == before


def test_a_job_that_no_node_can_take_is_named_with_the_reason_until_one_can(corner: Corner) -> None:
    first, _second = corner.submit(), corner.submit()
    stuck = [each for each in _status(corner)["stuck"] if each["job_id"] == first["id"]]
    assert [(each["jobs"], bool(each["reason"])) for each in stuck] == [(2, True)]
    corner.register()
    assert first["id"] not in [each["job_id"] for each in _status(corner)["stuck"]]
