"""`GET /events` tells what the audit has, to those who may know, from where they want on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from common import problems
from common.client import ApiError
from tests.api.corner import Corner, got, refused, refused_fields
from tests.live.listening import Listener, as_client, past, read, token
from tests.masters import Client, Master, wait_until


def audited(client: Client, **wanted: str) -> list[dict[str, Any]]:
    """The audit, oldest first."""
    entries: list[dict[str, Any]] = got(client.get("/audit", params=wanted))["entries"]
    return entries[::-1]


def secretive(name: str) -> bool:
    """Whether an event is about what only operators see."""
    return name.startswith(("token_", "webhook_"))


def data(events: list[Any]) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in events if event.name not in ("progress", "gap")]


def test_all_that_happened_is_told_as_the_audit_has_it(corner: Corner) -> None:
    _, claimed = corner.start()
    got(corner.report(claimed))
    events = [event for event in past(corner.client) if event.name != "progress"]
    entries = audited(corner.client)
    assert data(events) == entries
    assert [(event.name, event.id) for event in events] == [(e["event"], str(e["seq"])) for e in entries]


def test_it_begins_now_unless_another_place_is_named(master: Master, corner: Corner) -> None:
    job_id = corner.submit()["id"]
    newest = audited(corner.client)[-1]["seq"]
    assert data(read(corner.client, "/events", {"follow": "0"})) == []
    with_query = read(corner.client, "/events", {"follow": "0", "after": str(newest - 1)})
    assert [entry["job_id"] for entry in data(with_query)] == [job_id]
    header = {"Last-Event-ID": str(newest - 1)}
    # A browser repeats the address, and knows better by now.
    with_header = read(corner.client, "/events", {"follow": "0", "after": "0"}, header)
    assert with_header == with_query


@pytest.mark.parametrize("name", ["job_id", "node_id", "event"])
def test_filters_choose(corner: Corner, name: str) -> None:
    node, claimed = corner.start()
    got(corner.report(claimed))
    value = {"job_id": claimed["id"], "node_id": node["id"], "event": "job_completed"}[name]
    events = past(corner.client, **{name: value})
    assert data(events) == audited(corner.client, **{name: value})


def test_several_names_choose_all_of_theirs(corner: Corner) -> None:
    corner.start()
    names = {event.name for event in past(corner.client, event="job_claimed,node_registered")}
    assert names == {"job_claimed", "node_registered"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "-1"}, "after"),
        ({"after": "x"}, "after"),
        ({"event": "job_vanished"}, "event"),
        ({"event": "job_claimed,"}, "event"),
        ({"follow": "yes"}, "follow"),
        ({"job_id": ""}, "job_id"),
        ({"limit": "3"}, "limit"),
    ],
)
def test_what_makes_no_sense_is_refused(client: Client, query: dict[str, str], field: str) -> None:
    assert refused_fields(client.get("/events", params=query)) == [field]


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "9" * 40])
def test_a_strange_last_event_id_is_refused(client: Client, text: str) -> None:
    assert refused_fields(client.get("/events", headers={"Last-Event-ID": text})) == ["Last-Event-ID"]


def test_a_head_opens_no_stream(client: Client) -> None:
    answer = client.head("/events")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"


def test_who_knows_of_more_than_there_is_hears_of_a_gap(client: Client) -> None:
    newest = audited(client)[-1]["seq"]
    (event,) = [
        each
        for each in read(client, "/events", {"follow": "0", "after": "999999"})
        if each.name != "progress"
    ]
    assert (event.name, event.id) == ("gap", str(newest))
    assert json.loads(event.data) == {"after": 999999, "up_to": newest}


def test_progress_is_told_but_not_kept(master: Master, corner: Corner) -> None:
    _, claimed = corner.start()
    listener = Listener(as_client(master).events(job_id=claimed["id"]))
    sent = {"node_id": claimed["node_id"], "lease_id": claimed["lease_id"]}

    def reported(frame: int) -> bool:
        got(corner.client.post(f"/jobs/{claimed['id']}/progress", json={**sent, "frame": frame, "fps": 2.5}))
        return "progress" in listener.names

    wait_until(lambda: reported(7), "progress is heard")
    told = listener.heard[0].data
    assert (told["job_id"], told["node_id"]) == (claimed["id"], claimed["node_id"])
    assert told["progress"] == got(corner.client.get(f"/jobs/{claimed['id']}"))["progress"]
    got(corner.report(claimed))
    listener.hears(lambda message: message.name == "job_completed", "the end is heard")
    assert [event.name for event in past(corner.client, job_id=claimed["id"])] == [
        "job_submitted",
        "job_claimed",
        "job_completed",
    ]


def test_each_role_hears_what_it_may_know(master: Master, corner: Corner) -> None:
    alice = token(corner.client, "submitter", "alice")
    viewer = token(corner.client, "viewer", "a-viewer")
    with master.client(alice["token"]) as client:
        job_id = got(client.post("/jobs", json={"scenario": "720p-h264"}), 201)["id"]
        heard = data(past(client))
        assert {entry["job_id"] for entry in heard} == {job_id}
        assert all(entry["from"] is None for entry in heard)
        assert data(past(client, job_id=corner.submit()["id"])) == []
        got(client.post(f"/jobs/{job_id}/cancel"))
    with master.client(viewer["token"]) as client:
        heard = data(past(client))
        assert heard == [
            {**entry, "from": None} for entry in audited(corner.client) if not secretive(entry["event"])
        ]


def test_a_submitter_hears_live_of_its_own_jobs_only(master: Master, corner: Corner) -> None:
    bob = token(corner.client, "submitter", "bob")
    listener = Listener(as_client(master, bob["token"]).events(after=0))
    _, claimed = corner.start()
    sent = {"node_id": claimed["node_id"], "lease_id": claimed["lease_id"], "frame": 1}
    got(corner.client.post(f"/jobs/{claimed['id']}/progress", json=sent))
    with master.client(bob["token"]) as client:
        job_id = got(client.post("/jobs", json={"scenario": "720p-h264"}), 201)["id"]
        got(client.post(f"/jobs/{job_id}/cancel"))
    listener.hears(lambda message: message.name == "job_canceled", "its own job is heard of")
    assert {message.data["job_id"] for message in listener.heard} == {job_id}


def test_who_may_read_no_more_hears_no_more(master: Master, corner: Corner) -> None:
    made = token(corner.client, "viewer", "gone-soon")
    listener = Listener(as_client(master, made["token"]).events(after=0, pause=lambda _: None))
    before = corner.submit()["id"]
    listener.hears(lambda message: message.data.get("job_id") == before, "it is heard")
    assert corner.client.delete(f"/tokens/{made['id']}").status_code == 204
    after = corner.submit()["id"]
    listener.ends()
    assert isinstance(listener.error, ApiError)
    assert listener.error.slug == "token_revoked"
    assert after not in {message.data.get("job_id") for message in listener.heard}


def test_a_client_that_cannot_connect_is_told_so(master: Master) -> None:
    listener = Listener(as_client(master, "nothing" * 6).events())
    listener.ends()
    assert isinstance(listener.error, ApiError)


def test_audit_and_events_name_the_same_problem_of_roles(master: Master) -> None:
    with master.client() as client:
        refused(client.get("/events", headers={"Via": "1.1 proxy"}), problems.UNAUTHENTICATED)
