"""`GET /jobs?id_prefix=` finds jobs by the beginnings of their ids, and only those of the caller."""

from __future__ import annotations

import pytest

from tests.api.corner import Corner, got, refused_fields
from tests.masters import Client, Master


def test_a_beginning_of_an_id_finds_the_job(corner: Corner) -> None:
    job = corner.submit()
    found = got(corner.client.get("/jobs", params={"id_prefix": job["id"][:13]}))
    assert ([each["id"] for each in found["jobs"]], found["count"], found["next"]) == ([job["id"]], 1, None)
    assert got(corner.client.get("/jobs", params={"id_prefix": job["id"]}))["count"] == 1


def test_it_goes_with_the_status(corner: Corner) -> None:
    asked = {"id_prefix": corner.submit()["id"]}
    assert got(corner.client.get("/jobs", params={**asked, "status": "pending"}))["count"] == 1
    assert got(corner.client.get("/jobs", params={**asked, "status": "failed"}))["count"] == 0


def test_no_job_begins_so(corner: Corner) -> None:
    corner.submit()
    assert got(corner.client.get("/jobs", params={"id_prefix": "ffffffff-ffff-0000"}))["jobs"] == []


@pytest.mark.parametrize("prefix", ["", "abc", "xyz1", "ABCD", "a" * 37])
def test_what_is_no_beginning_of_an_id_is_refused(corner: Corner, prefix: str) -> None:
    assert refused_fields(corner.client.get("/jobs", params={"id_prefix": prefix})) == ["id_prefix"]


def test_a_submitter_finds_its_own_jobs_only(master: Master, client: Client) -> None:
    job = got(client.post("/jobs", json={"scenario": "480p-h264"}), 201)
    token = got(client.post("/tokens", json={"role": "submitter", "name": "looks"}), 201)["token"]
    with master.client(token) as submitter:
        own = got(submitter.post("/jobs", json={"scenario": "480p-h264"}), 201)
        for wanted, count in ((job, 0), (own, 1)):
            assert got(submitter.get("/jobs", params={"id_prefix": wanted["id"][:18]}))["count"] == count
