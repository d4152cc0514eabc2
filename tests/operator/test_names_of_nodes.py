"""People read the names of nodes; programs get the ids, as the API has them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.corner import Corner, got
from tests.masters import Client
from tests.operator.conftest import Ffrtmp


@pytest.fixture
def corner(client: Client) -> Corner:
    return Corner(client)


def claimed(corner: Corner, address: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A node of that name, and a job that runs on it."""
    node = corner.register(address=address)
    corner.submit()
    job: dict[str, Any] = corner.poll(node["id"])["job"]
    return node, job


def row(text: str, job_id: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(job_id))


def test_lists_call_a_node_by_its_name(ffrtmp: Ffrtmp, corner: Corner) -> None:
    node, job = claimed(corner, "berlin-07")
    for command in (("jobs", "list", "--status", "running"), ("status",)):
        text = row(ffrtmp(*command).stdout, job["id"])
        assert "berlin-07" in text
        assert node["id"][:8] not in text
    listed = ffrtmp.json("jobs", "list", "--status", "running")
    assert [each["node_id"] for each in listed if each["id"] == job["id"]] == [node["id"]]
    got(corner.report(job))


def test_a_job_and_its_result_have_the_name_beside_the_id(ffrtmp: Ffrtmp, corner: Corner) -> None:
    node, job = claimed(corner, "berlin-08")
    got(corner.report(job, metrics={}))
    for command in (("jobs", "show", job["id"]), ("results", job["id"])):
        told = ffrtmp(*command).stdout
        assert f"node_id: {node['id']}\nnode: berlin-08\n" in told
        document = ffrtmp.json(*command)
        assert (document["node_id"], "node" in document) == (node["id"], False)
    attempts = ffrtmp("jobs", "show", job["id"]).stdout.split("\nattempts:\n")[1].split("\n\n")[0]
    assert "berlin-08" in attempts
    assert node["id"] not in attempts


def test_a_line_of_a_watched_job_names_its_node(ffrtmp: Ffrtmp, corner: Corner) -> None:
    _, job = claimed(corner, "berlin-09")
    with ffrtmp.started("jobs", "watch", job["id"]) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline().endswith(": running on berlin-09\n")
        got(corner.report(job, metrics={}))
        assert watching.wait(30) == 0


def test_a_node_that_is_gone_is_told_by_its_id(ffrtmp: Ffrtmp, corner: Corner) -> None:
    node, job = claimed(corner, "gone-soon")
    got(corner.report(job, metrics={}))
    assert corner.client.delete(f"/nodes/{node['id']}").ok
    assert node["id"][:8] in row(ffrtmp("jobs", "list", "--limit", "5000").stdout, job["id"])


def test_who_may_see_no_nodes_is_told_ids(ffrtmp: Ffrtmp, corner: Corner) -> None:
    made = got(corner.client.post("/tokens", json={"role": "submitter", "name": "names-no-nodes"}), 201)
    token = {"FFRTMP_TOKEN": made["token"]}
    job_id = ffrtmp("jobs", "submit", "720p-h264", "--label", f"corner={corner.labels['corner']}", **token)
    node = corner.register(address="secret-name")
    assert corner.poll(node["id"])["job"]["id"] == job_id.stdout.strip()
    text = row(ffrtmp("jobs", "list", **token).stdout, job_id.stdout.strip())
    assert (node["id"][:8] in text, "secret-name" in text) == (True, False)
