"""`GET /audit` tells who did what, when and from where, newest first."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common import problems
from master.store import snapshot
from master.store.segments import number_of, segments
from tests.api.corner import TIMESTAMP, Corner, got, refused, refused_fields
from tests.masters import Client, Master, start_master


def entries(client: Client, **query: Any) -> list[dict[str, Any]]:
    """All entries that fit, from as many pages as there are."""
    found: list[dict[str, Any]] = []
    while True:
        page = got(client.get("/audit", params=query))
        assert page["damaged"] == []
        found += page["entries"]
        if page["next"] is None:
            return found
        query["after"] = page["next"]


def events(client: Client, **query: Any) -> list[str]:
    return [entry["event"] for entry in entries(client, **query)]


def test_a_job_has_its_story_and_each_step_says_who_did_it(client: Client, corner: Corner) -> None:
    node, claimed = corner.start()
    got(client.post(f"/jobs/{claimed['id']}/cancel"))
    canceled, begun, submitted = entries(client, job_id=claimed["id"])
    assert canceled == {
        "seq": canceled["seq"],
        "at": canceled["at"],
        "by": "operator",
        "from": "127.0.0.1",
        "event": "job_canceled",
        "job_id": claimed["id"],
        "node_id": node["id"],
        "token_id": None,
        "details": {},
    }
    assert TIMESTAMP.fullmatch(canceled["at"])
    assert (begun["event"], begun["node_id"], begun["details"]) == ("job_claimed", node["id"], {"attempt": 1})
    assert (submitted["event"], submitted["details"]["scenario"]) == ("job_submitted", "720p-h264")
    assert canceled["seq"] > begun["seq"] > submitted["seq"]


def test_a_node_acts_in_its_own_name(master: Master, client: Client, corner: Corner) -> None:
    credential = f"a-credential-{uuid.uuid4()}"
    node = corner.register(credential=credential)
    corner.submit()
    with master.client(credential) as agent:
        claimed = Corner(agent).poll(node["id"])
        got(Corner(agent).report({**claimed["job"], "node_id": node["id"]}))
    assert [(e["by"], e["event"]) for e in entries(client, node_id=node["id"], by=f"node:{node['id']}")] == [
        (f"node:{node['id']}", "job_completed"),
        (f"node:{node['id']}", "job_claimed"),
    ]


def test_what_was_just_answered_is_in_it(client: Client, corner: Corner) -> None:
    for _ in range(20):
        job_id = corner.submit()["id"]
        assert got(client.get("/audit", params={"limit": "1"}))["entries"][0]["job_id"] == job_id


def test_each_job_of_a_batch_has_its_entry(client: Client, corner: Corner) -> None:
    batch = got(client.post("/jobs/batch", json={"jobs": [{"scenario": "720p-h264"}] * 5}), 201)["jobs"]
    latest = got(client.get("/audit", params={"event": "job_submitted", "limit": "5"}))["entries"]
    assert [entry["job_id"] for entry in latest] == [job["id"] for job in reversed(batch)]
    for job in batch:
        client.post(f"/jobs/{job['id']}/cancel")


@pytest.mark.parametrize("limit", ["1", "2", "1000"])
def test_it_comes_in_pages(client: Client, corner: Corner, limit: str) -> None:
    job_id = corner.submit()["id"]
    for verb in ("pause", "resume", "cancel"):
        got(client.post(f"/jobs/{job_id}/{verb}"))
    assert events(client, job_id=job_id, limit=limit) == [
        "job_canceled",
        "job_resumed",
        "job_paused",
        "job_submitted",
    ]


def test_it_is_asked_about_a_time(client: Client, corner: Corner) -> None:
    job_id = corner.submit()["id"]
    now = datetime.now(UTC)
    before, after = (f"{now + timedelta(hours=h):%Y-%m-%dT%H:%M:%SZ}" for h in (-1, 1))
    assert events(client, job_id=job_id, since=before, until=after) == ["job_submitted"]
    assert events(client, job_id=job_id, since=after) == events(client, job_id=job_id, until=before) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("after", "f7"),
        ("after", "-1"),
        ("after", "0"),
        ("by", ""),
        ("event", "job_exploded"),
        ("job_id", "x" * 256),
        ("node_id", ""),
        ("since", "yesterday"),
        ("until", "2026-02-30T00:00:00Z"),
        ("until", "2026-02-03T00:00:00+01:00"),
        ("status", "failed"),
    ],
)
def test_a_query_that_makes_no_sense_is_named(client: Client, name: str, value: str) -> None:
    assert refused_fields(client.get("/audit", params={name: value})) == [name]


@pytest.fixture
def aged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """A master whose journal was folded since its queue was paused."""
    state_dir = tmp_path_factory.mktemp("aged") / "state"
    master = start_master(state_dir)
    with master.client() as client:
        got(client.post("/queue/pause"))
    master.stop()
    snapshot.fold(state_dir / "journal", number_of(segments(state_dir / "journal")[-1]))
    master = start_master(state_dir)
    yield master
    master.stop()


def test_what_left_the_journal_is_still_told(aged: Master) -> None:
    with aged.client() as client:
        assert events(client) == ["master_started", "queue_paused", "master_started"]
        assert {entry["by"] for entry in entries(client, event="master_started")} == {"master"}


def test_a_damaged_file_is_named_and_hides_nothing_else(aged: Master) -> None:
    path = aged.state_dir / "audit" / "0000000000000001.jsonl.gz"
    path.write_bytes(b"damaged")
    with aged.client() as client:
        page = got(client.get("/audit"))
        assert [entry["event"] for entry in page["entries"]] == ["master_started"]
        assert [str(path) in each for each in page["damaged"]] == [True]


def test_it_is_for_operators_only(master: Master, client: Client, corner: Corner) -> None:
    credential = f"a-credential-{uuid.uuid4()}"
    corner.register(credential=credential)
    with master.client(credential) as agent:
        refused(agent.get("/audit"), problems.FORBIDDEN)
