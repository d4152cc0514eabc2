"""An agent whose master has another in its place, or does not understand it, ends its work at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
import responses

from agent.config import Config
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.identity import Identity
from agent.instance import Instance, this_process
from agent.link import Link, RefusedError, retry
from agent.loop import Agent
from agent.outbox import Outbox
from common.address import Address
from common.client import INSTANCE_HEADER, PROTOCOL_HEADER, REPLACES_HEADER, ApiError, MasterClient, Trust
from master import tls
from tests.agent.conftest import wait_until

MASTER = "https://localhost:1"
DETAIL = "Another agent has registered as node node-1, and took over."


def refusal(slug: str) -> dict[str, str]:
    return {"type": f"urn:ffrtmp:problem:{slug}", "detail": DETAIL}


@pytest.fixture
def client(tmp_path: Path) -> MasterClient:
    made = tls.ensure_certificates(
        tmp_path, tls.Names(frozenset({"localhost"}), frozenset()), datetime.now(UTC)
    )
    return MasterClient(Address("localhost", 1), Trust(made.chain, check_hostname=False))


@pytest.fixture
def link(client: MasterClient) -> Link:
    run = Instance("instance-2", this_process(), replaces="instance-1")
    return Link(client, Identity("node-1", "secret"), run, {})


@pytest.fixture
def master() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as master:
        yield master


def test_it_says_who_it_is_and_whom_it_replaces(link: Link, master: responses.RequestsMock) -> None:
    terms = {"status": "available", "heartbeat_timeout": 90, "lease": 60}
    master.post(f"{MASTER}/nodes/register", json=terms)
    link.register()
    (call,) = master.calls
    assert call.request.headers[INSTANCE_HEADER] == "instance-2"
    assert call.request.headers[REPLACES_HEADER] == "instance-1"
    assert call.request.headers[PROTOCOL_HEADER]
    assert json.loads(call.request.body or "")["instance"] == "instance-2"
    assert link.term == 60


@pytest.mark.parametrize("slug", ["identity_in_use", "protocol_mismatch"])
def test_a_refused_registration_is_not_tried_again(
    slug: str, link: Link, master: responses.RequestsMock
) -> None:
    master.post(f"{MASTER}/nodes/register", json=refusal(slug), status=409)
    with pytest.raises(RefusedError, match=f"the master refuses this agent: {DETAIL}"):
        retry(link.register, "register", threading.Event())
    assert len(master.calls) == 1
    assert not link.registered


@pytest.mark.parametrize("slug", ["identity_in_use", "protocol_mismatch"])
def test_a_call_that_is_refused_for_that_ends_its_work_and_the_agent(
    slug: str,
    link: Link,
    master: responses.RequestsMock,
    toolbox: Toolbox,
    spawner: Spawner,
    tmp_path: Path,
) -> None:
    job = {"id": "job-1", "scenario": "480p-h264", "parameters": {"duration": 36_000}, "attempt": 1}
    master.get(f"{MASTER}/jobs/next", json={"job": {**job, "lease_id": "lease-1"}})
    master.get(f"{MASTER}/jobs/next", json={"job": None})
    begun = threading.Event()

    def progress(_: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        begun.set()
        return (200, {}, "{}")

    master.add_callback(responses.POST, f"{MASTER}/jobs/job-1/progress", progress)

    def heartbeat(_: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        if begun.is_set():
            return (409, {}, json.dumps(refusal(slug)))
        return (200, {}, json.dumps({"leases": ["lease-1"], "heartbeat_timeout": 90, "lease": 90}))

    master.add_callback(responses.POST, f"{MASTER}/nodes/node-1/heartbeat", heartbeat)
    config = Config(Address("localhost", 1), "node", tmp_path, tmp_path / "work", {}, heartbeat_interval=0.2)
    agent = Agent(config, link, toolbox, spawner, Outbox(tmp_path / "outbox"), slots=1)
    stop = threading.Event()
    why: list[str | None] = []
    thread = threading.Thread(target=lambda: why.append(agent.run(stop)))
    thread.start()
    thread.join(60)
    assert why == [DETAIL]
    assert wait_until(lambda: not (tmp_path / "work" / "job-1").exists())
    asked = [str(call.request.url) for call in master.calls]
    assert not [url for url in asked if "register" in url or "release" in url or "leave" in url]
    assert not [url for url in asked if "results" in url]


def test_it_is_told_also_when_it_registers_again(link: Link, master: responses.RequestsMock) -> None:
    told: list[str] = []
    link.on_expelled = told.append
    master.post(f"{MASTER}/nodes/register", json=refusal("identity_in_use"), status=409)

    def unknown() -> None:
        raise ApiError(404, {"type": "urn:ffrtmp:problem:unknown_node"})

    with pytest.raises(RefusedError):
        link.call(unknown)
    assert told == [f"the master refuses this agent: {DETAIL}"]
