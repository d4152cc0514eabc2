"""A submitter sees and steers its own jobs, and nobody else's; who shares its name is the same one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import Client, Master


def token(operator: Client, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = got(operator.post("/tokens", json=fields), 201)
    return made


@pytest.fixture
def people(master: Master, corner: Corner) -> Iterator[dict[str, Client]]:
    """Two people; alice has two tokens."""
    tag = corner.labels["corner"][:8]
    names = {"alice": f"alice-{tag}", "alice again": f"alice-{tag}", "bob": f"bob-{tag}"}
    with ExitStack() as stack:
        clients = {}
        for who, name in names.items():
            text = token(corner.client, role="submitter", name=name)["token"]
            clients[who] = stack.enter_context(master.client(text))
        yield clients


def submit(client: Client, corner: Corner, **headers: str) -> dict[str, Any]:
    sent = {"scenario": "720p-h264", "constraints": {"labels": corner.labels}}
    made: dict[str, Any] = got(client.post("/jobs", json=sent, headers=headers), 201)
    return made


def finished(client: Client, corner: Corner) -> dict[str, Any]:
    """A job that was completed."""
    job = submit(client, corner)
    node = corner.register()
    claimed = corner.poll(node["id"])["job"]
    assert claimed["id"] == job["id"]
    got(corner.report(claimed))
    return job


def test_a_job_says_whose_it_is(people: dict[str, Client], corner: Corner) -> None:
    assert str(submit(people["alice"], corner)["owner"]).startswith("alice-")
    assert corner.submit()["owner"] is None


@pytest.mark.parametrize("read", ["", "/result", "/logs"], ids=["the job", "its result", "its log"])
def test_what_is_read_of_a_job_is_for_its_owner_only(
    people: dict[str, Client], corner: Corner, read: str
) -> None:
    job = finished(people["alice"], corner)
    got(people["alice"].get(f"/jobs/{job['id']}{read}"))
    got(people["alice again"].get(f"/jobs/{job['id']}{read}"))
    refused(people["bob"].get(f"/jobs/{job['id']}{read}"), problems.FORBIDDEN)


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_a_job_is_steered_by_its_owner_only(people: dict[str, Client], corner: Corner, verb: str) -> None:
    for job in (submit(people["alice"], corner), corner.submit()):
        before = corner.job(job["id"])
        refused(people["bob"].post(f"/jobs/{job['id']}/{verb}"), problems.FORBIDDEN)
        assert corner.job(job["id"]) == before
    mine = submit(people["alice"], corner)
    got(people["alice"].post(f"/jobs/{mine['id']}/{verb}"))


def test_a_job_is_retried_by_its_owner_only_and_stays_its_owners(
    people: dict[str, Client], corner: Corner
) -> None:
    job = finished(people["alice"], corner)
    refused(people["bob"].post(f"/jobs/{job['id']}/retry"), problems.FORBIDDEN)
    again = got(people["alice"].post(f"/jobs/{job['id']}/retry"), 201)
    assert again["owner"] == job["owner"]


def listed_jobs(client: Client) -> tuple[set[str], int]:
    page = got(client.get("/jobs"))
    return {job["id"] for job in page["jobs"]}, page["count"]


def listed_results(client: Client) -> tuple[set[str], int]:
    page = got(client.get("/results"))
    return {result["job_id"] for result in page["results"]}, page["count"]


@pytest.mark.parametrize("listed", [listed_jobs, listed_results], ids=["jobs", "results"])
def test_lists_and_counts_have_the_owners_only(
    people: dict[str, Client],
    corner: Corner,
    listed: Callable[[Client], tuple[set[str], int]],
) -> None:
    mine = [finished(people["alice"], corner)["id"] for _ in range(2)]
    theirs = finished(people["bob"], corner)["id"]
    assert listed(people["alice"]) == (set(mine), 2)
    assert listed(people["alice again"]) == (set(mine), 2)
    assert listed(people["bob"]) == ({theirs}, 1)
    assert got(people["alice"].get("/jobs", params={"status": "completed"}))["count"] == 2
    assert got(people["bob"].get("/results/archive"))["results"] == []


def test_an_idempotency_key_of_another_is_none_of_its_business(
    people: dict[str, Client], corner: Corner
) -> None:
    key = {"Idempotency-Key": f"key-{corner.labels['corner']}"}
    alices, bobs = submit(people["alice"], corner, **key), submit(people["bob"], corner, **key)
    assert alices["id"] != bobs["id"]
    assert submit(people["alice again"], corner, **key)["id"] == alices["id"]
    body = {"scenario": "480p-h264"}
    refused(people["alice"].post("/jobs", json=body, headers=key), problems.KEY_REUSED)


def test_once_its_token_is_revoked_it_is_out_at_once_and_its_successor_goes_on(
    people: dict[str, Client], corner: Corner
) -> None:
    job = submit(people["alice"], corner)
    names = {each["name"]: each["id"] for each in got(corner.client.get("/tokens"))["tokens"]}
    assert job["owner"] in names
    first = next(
        each["id"] for each in got(corner.client.get("/tokens"))["tokens"] if each["name"] == job["owner"]
    )
    assert corner.client.delete(f"/tokens/{first}").status_code == 204
    refused(people["alice"].get("/jobs"), problems.TOKEN_REVOKED)
    got(people["alice again"].get(f"/jobs/{job['id']}"))
