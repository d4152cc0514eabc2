"""Who sees, gets and removes which file; and that to name a hash is not to have the content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from common import problems
from common.client import PROTOCOL_HEADER
from common.version import PROTOCOL
from tests.api.corner import Corner, got, refused
from tests.files.support import artifact, begin, content, finish_with, send, sha256_of, store
from tests.masters import Client, Master

STRANGER = {"Via": "1.1 proxy"}


@pytest.fixture
def tag(corner: Corner) -> str:
    return corner.labels["corner"][:8]


@pytest.fixture
def data(tag: str) -> bytes:
    return content(4000, tag)


@pytest.fixture
def people(master: Master, corner: Corner, tag: str) -> Iterator[dict[str, Client]]:
    roles = {"alice": "submitter", "bob": "submitter", "eve": "viewer"}
    with ExitStack() as stack:
        clients = {}
        for name, role in roles.items():
            made = got(corner.client.post("/tokens", json={"role": role, "name": f"{name}-{tag}"}), 201)
            clients[name] = stack.enter_context(master.client(made["token"]))
            clients[name].headers.update(STRANGER)
        yield clients


@pytest.fixture
def node(master: Master, corner: Corner) -> Iterator[Callable[..., tuple[Client, dict[str, Any]]]]:
    """A node with a job that it runs, and the client of its agent."""
    with ExitStack() as stack:

        def start(queue: Callable[[], Any]) -> tuple[Client, dict[str, Any]]:
            secret = f"of-a-node-{len(made)}-{corner.labels['corner']}"
            ours = {"labels": corner.labels, "run_unlabeled": False, "credential": secret}
            known = got(
                corner.client.post(
                    "/nodes/register",
                    json={"address": "worker-01", **ours},
                    headers={PROTOCOL_HEADER: str(PROTOCOL)},
                ),
                201,
            )
            queue()
            client = stack.enter_context(master.client(secret))
            client.headers.update(STRANGER)
            made.append(client)
            return client, corner.poll(known["id"])["job"]

        made: list[Client] = []
        yield start


def listed(client: Client, data: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = got(client.get("/files", params={"sha256": sha256_of(data)}))["files"]
    return found


def submit(client: Client, corner: Corner, data: bytes) -> Any:
    constraints = {"labels": corner.labels}
    sent = {"scenario": "720p-h264", "input": f"file:{sha256_of(data)}", "constraints": constraints}
    return client.post("/jobs", json=sent)


def test_a_submitter_sees_gets_and_uses_what_it_has_put(
    people: dict[str, Client], corner: Corner, data: bytes, tag: str
) -> None:
    alice = people["alice"]
    file = store(alice, data, name="film.mp4")
    assert file["owners"] == [f"alice-{tag}"]
    assert listed(alice, data) == [file]
    assert alice.get(f"/files/{file['sha256']}").content == data
    got(submit(alice, corner, data), 201)


def test_what_another_has_put_does_not_exist_for_a_submitter(
    people: dict[str, Client], corner: Corner, data: bytes
) -> None:
    sha256 = store(people["alice"], data)["sha256"]
    bob = people["bob"]
    assert listed(bob, data) == []
    refused(bob.get(f"/files/{sha256}"), problems.UNKNOWN_FILE)
    refused(bob.delete(f"/files/{sha256}"), problems.UNKNOWN_FILE)
    refused(submit(bob, corner, data), problems.UNKNOWN_FILE)
    # All of that is answered as for a file that nobody has.
    there, nowhere = (
        refused(bob.get(f"/files/{each}"), problems.UNKNOWN_FILE)["detail"].replace(each, "")
        for each in (sha256, "0" * 64)
    )
    assert there == nowhere


def test_who_names_a_hash_has_to_send_the_content_all_the_same(
    people: dict[str, Client], data: bytes, tag: str
) -> None:
    store(people["alice"], data, name="hers.mp4")
    bob = people["bob"]
    begun = begin(bob, data)
    assert (begun["file"], begun["offset"]) == (None, 0)
    refused(send(bob, begun["id"], 0, bytes(len(data))), problems.WRONG_HASH)
    assert listed(bob, data) == []
    mine = store(bob, data, name="mine.mp4")
    assert (mine["name"], mine["owners"]) == ("mine.mp4", [f"bob-{tag}"])
    # Now he has put it, and is spared to send it again.
    assert begin(bob, data)["file"]["sha256"] == sha256_of(data)


def test_each_holder_takes_its_own_away_and_the_file_goes_with_the_last(
    people: dict[str, Client], corner: Corner, data: bytes
) -> None:
    sha256 = sha256_of(data)
    for name in ("alice", "bob"):
        store(people[name], data)
    assert people["alice"].delete(f"/files/{sha256}").status_code == 204
    refused(people["alice"].get(f"/files/{sha256}"), problems.UNKNOWN_FILE)
    assert people["bob"].get(f"/files/{sha256}").content == data
    assert people["bob"].delete(f"/files/{sha256}").status_code == 204
    assert listed(corner.client, data) == []


def test_a_viewer_lists_and_gets_and_changes_nothing(people: dict[str, Client], data: bytes) -> None:
    file, eve = store(people["alice"], data), people["eve"]
    assert listed(eve, data) == [file]
    assert eve.get(f"/files/{file['sha256']}").content == data
    refused(eve.delete(f"/files/{file['sha256']}"), problems.FORBIDDEN)
    refused(eve.post("/files", json={"sha256": "0" * 64, "size": 1}), problems.FORBIDDEN)


def test_an_upload_is_its_senders_alone(people: dict[str, Client], client: Client, data: bytes) -> None:
    begun = begin(people["alice"], data)
    refused(people["bob"].get(f"/files/uploads/{begun['id']}"), problems.UNKNOWN_UPLOAD)
    refused(send(people["bob"], begun["id"], 0, data), problems.UNKNOWN_UPLOAD)
    refused(people["bob"].delete(f"/files/uploads/{begun['id']}"), problems.UNKNOWN_UPLOAD)
    assert client.delete(f"/files/uploads/{begun['id']}").status_code == 204
    refused(send(people["alice"], begun["id"], 0, data), problems.UNKNOWN_UPLOAD)


def test_a_file_that_an_unfinished_job_needs_cannot_be_removed(
    people: dict[str, Client], corner: Corner, data: bytes
) -> None:
    sha256 = store(people["alice"], data)["sha256"]
    job = got(submit(people["alice"], corner, data), 201)
    for who in (people["alice"], corner.client):
        assert refused(who.delete(f"/files/{sha256}"), problems.FILE_IN_USE)["job_id"] == job["id"]
    got(corner.client.post(f"/jobs/{job['id']}/cancel"))
    assert people["alice"].delete(f"/files/{sha256}").status_code == 204


def test_a_job_whose_file_is_unknown_is_refused_and_so_is_its_whole_batch(
    corner: Corner, data: bytes
) -> None:
    name = f"file:{sha256_of(data)}"
    refused(corner.client.post("/jobs", json={"scenario": "720p-h264", "input": name}), problems.UNKNOWN_FILE)
    batch = {"jobs": [{"scenario": "720p-h264"}, {"scenario": "720p-h264", "input": name}]}
    before = got(corner.client.get("/jobs"))["count"]
    assert refused(corner.client.post("/jobs/batch", json=batch), problems.UNKNOWN_FILE)["index"] == 1
    assert got(corner.client.get("/jobs"))["count"] == before


def test_a_node_gets_what_its_jobs_read_and_nothing_else(
    people: dict[str, Client], corner: Corner, data: bytes, node: Callable[..., Any]
) -> None:
    sha256 = store(people["alice"], data)["sha256"]
    other = store(people["alice"], content(100, "other"))["sha256"]
    agent, claimed = node(lambda: got(submit(people["alice"], corner, data), 201))
    assert agent.get(f"/files/{sha256}").content == data
    refused(agent.get(f"/files/{other}"), problems.UNKNOWN_FILE)
    refused(agent.get("/files"), problems.FORBIDDEN)
    got(corner.report(claimed))
    refused(agent.get(f"/files/{sha256}"), problems.UNKNOWN_FILE)  # it holds the job no longer


def test_a_node_puts_files_for_the_jobs_that_it_holds_and_they_are_their_owners(
    people: dict[str, Client], corner: Corner, data: bytes, node: Callable[..., Any]
) -> None:
    alice = people["alice"]
    source = store(alice, content(100, data))
    agent, claimed = node(lambda: got(submit(alice, corner, content(100, data)), 201))
    sent = {"sha256": sha256_of(data), "size": len(data)}
    refused(agent.post("/files", json=sent), problems.FORBIDDEN)
    file = store(agent, data, job_id=claimed["id"], name="out.mp4")
    finish_with(corner, claimed, artifact(file, "out.mp4", "video", "video/mp4"))
    assert listed(alice, data)[0]["name"] == "out.mp4"
    assert alice.get(f"/jobs/{claimed['id']}/artifacts/out.mp4").content == data
    refused(people["bob"].get(f"/jobs/{claimed['id']}/artifacts/out.mp4"), problems.FORBIDDEN)
    assert source["owners"] == file["owners"]


def test_a_node_whose_lease_has_ended_sends_nothing_more(
    corner: Corner, data: bytes, node: Callable[..., Any]
) -> None:
    agent, claimed = node(corner.submit)
    begun = begin(agent, data, job_id=claimed["id"])
    got(corner.report(claimed))
    refused(send(agent, begun["id"], 0, data), problems.FORBIDDEN)


def test_a_node_that_reports_a_file_of_another_gives_nobody_access_to_it(
    people: dict[str, Client], corner: Corner, data: bytes, node: Callable[..., Any]
) -> None:
    file = store(people["bob"], data)
    constraints = {"labels": corner.labels}
    queue = {"scenario": "720p-h264", "constraints": constraints}
    agent, claimed = node(lambda: got(people["alice"].post("/jobs", json=queue), 201))
    finish_with(corner, claimed, artifact(file, "out.mp4", "video", "video/mp4"))
    refused(people["alice"].get(f"/jobs/{claimed['id']}/artifacts/out.mp4"), problems.UNKNOWN_FILE)
    refused(agent.get(f"/files/{file['sha256']}"), problems.UNKNOWN_FILE)
