"""`GET /jobs/{id}/logs?follow=1` has each line as it is written, once, and ends with the job."""

from __future__ import annotations

from typing import Any

from common import problems
from tests.api.corner import Corner, got, refused, refused_fields
from tests.live.listening import Listener, as_client, read, token
from tests.masters import Client, Master

FOLLOW = {"follow": "1"}


def say(corner: Corner, claimed: dict[str, Any], *lines: str) -> None:
    sent = {"node_id": claimed["node_id"], "lease_id": claimed["lease_id"], "log": list(lines)}
    got(corner.client.post(f"/jobs/{claimed['id']}/progress", json=sent))


def log(claimed: dict[str, Any]) -> str:
    return f"/jobs/{claimed['id']}/logs"


def test_lines_are_heard_while_the_job_runs_and_the_last_ones_before_the_end(
    master: Master, corner: Corner
) -> None:
    _, claimed = corner.start()
    listener = Listener(as_client(master).follow_log(claimed["id"]))
    for line in ("one", "zwei ü 🎬", "a\rb"):
        say(corner, claimed, line)
        heard = listener.hears_of(line=line)
        assert heard.name == "line"
    got(corner.report(claimed, log=["last", "words"]))
    messages = listener.ends()
    assert [m.data["line"] for m in messages[:-1]] == ["one", "zwei ü 🎬", "a\rb", "last", "words"]
    assert (messages[-1].name, messages[-1].data) == ("end", {"status": "completed"})


def test_a_finished_job_is_told_whole_and_ends(corner: Corner) -> None:
    _, claimed = corner.start()
    for _ in range(2):
        say(corner, claimed, *(f"line {n}" for n in range(1500)))
    got(corner.report(claimed, log=["done"]))
    events = read(corner.client, log(claimed), FOLLOW)
    assert len(events) == 3002
    assert [event.name for event in events[-2:]] == ["line", "end"]


def test_a_reader_goes_on_behind_the_line_that_it_had(corner: Corner) -> None:
    _, claimed = corner.start()
    got(corner.report(claimed, log=["one", "two", "three"]))
    whole = read(corner.client, log(claimed), FOLLOW)
    for place, event in enumerate(whole[:-1]):
        header = {"Last-Event-ID": event.id}
        assert read(corner.client, log(claimed), FOLLOW, header) == whole[place + 1 :]
        assert read(corner.client, log(claimed), {**FOLLOW, "after": event.id}) == whole[place + 1 :]


def test_a_job_that_is_canceled_while_it_waits_ends_too(master: Master, corner: Corner) -> None:
    job_id = corner.submit()["id"]
    listener = Listener(as_client(master).follow_log(job_id))
    got(corner.client.post(f"/jobs/{job_id}/cancel"))
    assert [message.data for message in listener.ends()] == [{"status": "canceled"}]


def test_without_follow_it_is_as_it_was(corner: Corner) -> None:
    _, claimed = corner.start()
    say(corner, claimed, "one")
    for query in ({}, {"follow": "0"}):
        assert got(corner.client.get(log(claimed), params=query))["lines"] == ["one"]


def test_what_makes_no_sense_is_refused(corner: Corner, client: Client) -> None:
    job_id = corner.submit()["id"]
    for query in ({"follow": "2"}, {"after": "x"}, {"tail": "1"}):
        assert refused_fields(client.get(f"/jobs/{job_id}/logs", params=query)) == list(query)
    refused(client.get("/jobs/nothing/logs", params=FOLLOW), problems.UNKNOWN_JOB)


def test_a_submitter_follows_its_own_jobs_only(master: Master, corner: Corner) -> None:
    made = token(corner.client, "submitter", "carol")
    with master.client(made["token"]) as client:
        refused(client.get(f"/jobs/{corner.submit()['id']}/logs", params=FOLLOW), problems.FORBIDDEN)
