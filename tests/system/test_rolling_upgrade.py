"""Master and agents are upgraded one by one under load, and no job is lost, doubled or tried again for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from common.version import PROTOCOL
from tests.masters import ROOT, Client, wait_until
from tests.system.farm import HERE, LASTING, SHORT, TINY, Farm, halfway, job_is, node_is, outcomes, submit

OTHER_VERSION = """\
import common.version

common.version.PROTOCOL, common.version.VERSION = {protocol}, "other"
"""
"""Runs before the program does: so the same program speaks as another version would."""


def version(folder: Path, protocol: int) -> dict[str, str]:
    """The environment in which a program speaks `protocol`."""
    place = folder / f"protocol-{protocol}"
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(OTHER_VERSION.format(protocol=protocol))
    return {"PYTHONPATH": os.pathsep.join([str(place), str(ROOT)])}


class Load:
    """Somebody who sees to it that short jobs wait all the time, and sends each until it is answered."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._submit, name="load")
        self.accepted: list[str] = []

    @contextmanager
    def going_on(self) -> Iterator[Load]:
        self._thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            self._thread.join()

    def has(self, more: int) -> int:
        """How many jobs there are once `more` have been accepted."""
        enough = len(self.accepted) + more
        wait_until(lambda: len(self.accepted) >= enough, f"{more} more jobs are accepted", 30)
        return enough

    def _waiting(self) -> int:
        """How many jobs wait; more than a node needs to be busy take time only."""
        answer = self._client.get("/jobs?status=pending&limit=1", timeout=5)
        return int(answer.json()["count"]) if answer.ok else 0

    def _submit(self) -> None:
        while not self._ended.wait(0.2):
            key = {"Idempotency-Key": f"load-{len(self.accepted)}"}
            body = {"scenario": "480p30-h264", "parameters": {**LASTING, "duration": 1.5}}
            try:
                if self._waiting() > 1:
                    continue
                answer = self._client.post("/jobs", json=body, headers=key, timeout=5)
            except requests.RequestException:
                continue
            if answer.ok:
                self.accepted.append(answer.json()["id"])


def test_master_first_then_agents_under_load(farm: Farm, tmp_path: Path) -> None:
    old, new = version(tmp_path, PROTOCOL), version(tmp_path, PROTOCOL + 1)
    master = farm.master(environment=old, prepare=None)
    agents = {name: farm.agent(master, name=name, environment=old, program=True) for name in ("a", "b")}
    with master.client() as client, Load(client).going_on() as load:
        for agent in agents.values():
            node_is(client, agent.node_id, "busy")
        load.has(3)
        assert master.stop() == 0
        master = farm.master(environment=new, prepare=None)
        load.has(3)
        for name, agent in agents.items():
            node_id = agent.node_id
            agent.process.terminate()
            assert agent.ends(40) == 0
            upgraded = farm.agent(master, name=name, environment=new, program=True)
            assert upgraded.node_id == node_id
            load.has(2)
    with master.client() as client:
        for job_id in load.accepted:
            done = job_is(client, job_id, "completed")
            assert set(outcomes(done)) <= {"completed", "handed_back"}
            assert outcomes(done).count("completed") == 1
        versions = {node["agent_version"] for node in client.get("/nodes").json()["nodes"]}
        assert versions == {"other"}


def test_an_encode_goes_on_while_an_old_agents_master_is_upgraded(farm: Farm, tmp_path: Path) -> None:
    old, new = version(tmp_path, PROTOCOL - 1), version(tmp_path, PROTOCOL)
    master = farm.master(environment=old, prepare=None)
    agent = farm.agent(master, environment=old, program=True)
    with master.client() as client:
        job_id = submit(client, SHORT)
    with halfway(agent, job_id) as ffmpeg:
        assert master.stop() == 0
        master = farm.master(environment=new, prepare=None)
        assert agent.ffmpegs() == [ffmpeg]
    with master.client() as client:
        assert outcomes(job_is(client, job_id, "completed")) == ["completed"]


def test_an_agent_that_is_upgraded_before_its_master_works_too(farm: Farm, tmp_path: Path) -> None:
    master = farm.master()
    farm.agent(master, environment=version(tmp_path, PROTOCOL + 1), program=True)
    with master.client() as client:
        assert outcomes(job_is(client, submit(client, TINY), "completed")) == ["completed"]


@pytest.mark.parametrize(
    ("protocol", "advice"), [(PROTOCOL - 2, "Update it."), (PROTOCOL + 2, "Update this master.")]
)
def test_an_agent_too_many_versions_away_is_told_what_to_update(
    farm: Farm, tmp_path: Path, protocol: int, advice: str
) -> None:
    master = farm.master()
    agent = farm.agent(
        master, how=("--register", *HERE), environment=version(tmp_path, protocol), program=True
    )
    assert agent.ends() == 1
    assert f"speaks protocol {protocol}, this master" in agent.log
    assert agent.log.rstrip().endswith(advice)
