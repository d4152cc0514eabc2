"""An agent replaces its credential; wherever that breaks off, it has one that the master knows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from agent import identity
from agent.instance import Instance, this_process
from agent.link import Link
from agent.rotation import Rotation, due
from common.address import Address
from common.client import MasterClient, Trust
from common.tokens import parse
from tests.masters import Master, start_master, wait_until
from tests.system.farm import Farm, node


class DiedError(Exception):
    """The agent's process ended here."""


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """A master that lets nobody in for being on its machine."""
    master = start_master(tmp_path_factory.mktemp("strict") / "master", auth="required")
    yield master
    master.stop()


@dataclass
class World:
    """One start of an agent, as far as the master can tell."""

    directory: Path
    master: Master
    join_token: str | None = None

    def __post_init__(self) -> None:
        who = identity.load(self.directory) or identity.create(self.directory)
        trusted = Trust(self.master.ca, check_hostname=False)
        address = Address("localhost", self.master.port)
        self.client = MasterClient(address, trusted, who.credential, who.previous)
        run = Instance("the-only-one", this_process())
        self.link = Link(self.client, who, run, {"address": "worker"}, self.join_token)
        self.rotation = Rotation(self.link, self.directory)

    def register(self) -> None:
        self.link.register()
        assert self.link.terms["status"] == "available"
        self.link.who = replace(self.link.who, joined=True)
        identity.save(self.directory, self.link.who)

    def rotate(self) -> None:
        """What happens at a heartbeat when it is time."""
        self.link.terms = {**self.link.terms, "credential_expires_in": 0.0}
        self.rotation.step()

    def works(self) -> None:
        self.client.heartbeat(self.link.node_id, [])


def taken(master: Master, node_id: str, credential: str) -> bool:
    with master.client(credential) as client:
        return client.post(f"/nodes/{node_id}/heartbeat").ok


@pytest.fixture
def world(strict: Master, tmp_path: Path) -> World:
    with strict.client(strict.token) as operator:
        text = operator.post("/tokens", json={}).json()["token"]
    world = World(tmp_path, strict, parse(text).secret)
    world.register()
    return world


Break = Callable[[World, pytest.MonkeyPatch], None]


def _before_it_is_on_disk(_: World, patch: pytest.MonkeyPatch) -> None:
    def save(*_: Any) -> None:
        raise DiedError

    patch.setattr(identity, "save", save)


def _before_it_is_sent(_: World, patch: pytest.MonkeyPatch) -> None:
    save = identity.save

    def then_die(directory: Path, who: identity.Identity) -> None:
        save(directory, who)
        raise DiedError

    patch.setattr(identity, "save", then_die)


def _on_its_way(world: World, patch: pytest.MonkeyPatch) -> None:
    def request(*_: Any, **__: Any) -> None:
        raise DiedError

    patch.setattr(world.client._session, "request", request)


def _before_the_answer_is_read(world: World, patch: pytest.MonkeyPatch) -> None:
    send = world.client._session.request

    def then_die(*arguments: Any, **more: Any) -> None:
        assert send(*arguments, **more).ok
        raise DiedError

    patch.setattr(world.client._session, "request", then_die)


def _after_the_answer(world: World, patch: pytest.MonkeyPatch) -> None:
    def then_die(*_: Any, **__: Any) -> None:
        world.client.show = show  # type: ignore[method-assign]  # once
        raise DiedError

    show = world.client.show
    calls = iter([show, then_die])
    patch.setattr(world.client, "show", lambda *a, **k: next(calls)(*a, **k))


@pytest.mark.parametrize(
    "where",
    [
        _before_it_is_on_disk,
        _before_it_is_sent,
        _on_its_way,
        _before_the_answer_is_read,
        _after_the_answer,
    ],
    ids=lambda where: where.__name__.strip("_"),
)
@pytest.mark.parametrize("registers_first", [True, False])
def test_an_agent_that_dies_at_any_point_goes_on_at_its_next_start(
    world: World, monkeypatch: pytest.MonkeyPatch, where: Break, registers_first: bool
) -> None:
    first = world.link.who.credential
    with monkeypatch.context() as patch:
        where(world, patch)
        with pytest.raises(DiedError):
            world.rotate()
    after = World(world.directory, world.master)
    if not registers_first:  # it sends what was left before it registers
        after.works()
    after.register()
    after.works()
    after.rotate()
    after.works()
    assert after.client.credential == after.link.who.credential
    assert after.link.who.credential != first
    assert not taken(world.master, world.link.node_id, first)


def test_a_lost_answer_is_asked_for_again_with_the_same_new_credential(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = world.client._session.request

    def lose(*arguments: Any, **more: Any) -> None:
        send(*arguments, **more)
        raise requests.ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(world.client._session, "request", lose)
        world.rotate()
    offered = world.link.who.credential
    world.works()
    world.rotate()
    assert world.client.credential == world.link.who.credential == offered
    world.works()


def test_threads_that_still_show_the_old_one_go_on(world: World) -> None:
    old = world.link.who.credential
    world.rotate()
    world.works()
    assert not taken(world.master, world.link.node_id, old)
    world.client.show(old, spare=world.link.who.credential)
    world.works()


def test_an_agent_works_with_a_master_that_was_restored_from_before(world: World) -> None:
    """It knows the credential before only: so it would be if its state were an older copy."""
    before = world.link.who
    identity.save(world.directory, replace(before, credential="x" * 43, previous=before.credential))
    after = World(world.directory, world.master)
    after.register()
    after.works()


def test_the_file_is_private(world: World) -> None:
    world.rotate()
    assert (world.directory / identity.FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, False),
        ({"credential_ttl": 90.0, "credential_expires_in": 31.0}, False),
        ({"credential_ttl": 90.0, "credential_expires_in": 30.0}, True),
        ({"credential_ttl": 90.0, "credential_expires_in": None}, True),
    ],
    ids=["an older master", "more than a third", "a third", "it never expires yet"],
)
def test_it_is_time_when_a_third_is_left(terms: dict[str, Any], expected: bool) -> None:
    assert due(terms) is expected


def test_an_agent_lives_through_many_terms_and_a_copy_of_its_first_secret_does_not(farm: Farm) -> None:
    master = farm.master(credential_ttl="3s", heartbeat_timeout="3s", lease="3s")
    agent = farm.agent(master, "--heartbeat-interval=200ms")
    with master.client() as client:
        node_id = agent.node_id
        (directory,) = (path.parent for path in agent.state_dir.glob("*/identity.json"))
        first = identity.load(directory)
        assert first is not None
        begun = time.monotonic()
        wait_until(lambda: agent.log.count("The node has a new credential") >= 3, "three replaced", 30)
        assert time.monotonic() - begun > 3
        assert node(client, node_id)["status"] == "available"
    assert not taken(master, node_id, first.credential)
    secrets = {first.credential, *filter(None, vars_of(identity.load(directory)))}
    assert not [secret for secret in secrets if secret in agent.log + master.log.read_text()]


def vars_of(who: identity.Identity | None) -> list[str | None]:
    assert who is not None
    return [who.credential, who.previous]


def test_an_agent_whose_node_is_revoked_ends_and_says_what_to_do(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master, "--heartbeat-interval=200ms")
    with master.client() as client:
        assert client.post(f"/nodes/{agent.node_id}/revoke").json()["status"] == "revoked"
    assert agent.ends() == 1
    (file,) = agent.state_dir.glob("*/identity.json")
    last = agent.log.splitlines()[-1]
    assert "An operator revoked the credential of node" in last
    assert "delete the agent's identity.json, and start it with a join token" in last
    assert last.endswith(f"That file is {file}")
    again = farm.agent(master)
    assert again.ends() == 1
    assert "An operator revoked the credential" in again.log
    file.unlink()
    assert farm.agent(master).says("Registered with")
