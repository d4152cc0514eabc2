"""`POST /nodes/{id}/approve`, `drain` and `resume` say what a node may be given."""

from __future__ import annotations

import pytest

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import Client

STRANGER = {"Via": "1.1 proxy"}
"""Headers that close the local door: the caller is anyone."""


def test_a_node_that_anyone_registered_gets_no_work_until_it_is_approved(corner: Corner) -> None:
    credential = "approve-me-" + "x" * 30
    sent = {"address": "far", "labels": corner.labels, "run_unlabeled": False, "credential": credential}
    node = got(corner.client.post("/nodes/register", json=sent, headers=STRANGER), 201)
    assert node["status"] == "unapproved"
    job = corner.submit()
    assert corner.poll(node["id"]) == {"job": None}
    assert got(corner.client.post(f"/nodes/{node['id']}/approve"))["status"] == "available"
    assert corner.poll(node["id"])["id"] == job["id"]


def test_a_draining_node_keeps_its_job_and_gets_no_other(corner: Corner) -> None:
    node, job = corner.start()
    corner.submit()
    assert got(corner.client.post(f"/nodes/{node['id']}/drain"))["status"] == "draining"
    assert corner.job(job["id"])["status"] == "running"
    got(corner.report(job))
    assert corner.poll(node["id"]) == {"job": None}


def test_a_resumed_node_gets_jobs_again(corner: Corner) -> None:
    node = corner.register()
    got(corner.client.post(f"/nodes/{node['id']}/drain"))
    job = corner.submit()
    assert "draining" in corner.job(job["id"])["pending_reason"]
    assert got(corner.client.post(f"/nodes/{node['id']}/resume"))["status"] == "available"
    assert corner.poll(node["id"])["id"] == job["id"]


@pytest.mark.parametrize("verb", ["approve", "drain", "resume"])
def test_asking_twice_is_answered_like_once(corner: Corner, verb: str) -> None:
    address = f"/nodes/{corner.register()['id']}/{verb}"
    assert got(corner.client.post(address)) == got(corner.client.post(address, json={}))


@pytest.mark.parametrize("verb", ["approve", "drain", "resume"])
def test_an_unknown_node_cannot_be_changed(client: Client, verb: str) -> None:
    refused(client.post(f"/nodes/nobody/{verb}"), problems.UNKNOWN_NODE)
