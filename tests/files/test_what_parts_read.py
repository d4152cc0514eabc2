"""A node reads what the parts made that its job is made of or depends on, and nothing of other people's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from common import problems
from common.version import PROTOCOL
from tests.api.corner import Corner, got, refused
from tests.api.test_divisible_inputs import divisible
from tests.files.support import artifact, content, sha256_of, store
from tests.masters import Client, Master

Document = dict[str, Any]


class Agent:
    """The one node of a submitter's jobs that are split in two."""

    def __init__(self, corner: Corner, client: Client, owner: Client) -> None:
        self.corner, self.client, self._owner = corner, client, owner
        self.root = corner.labels["corner"]
        self.node = corner.register(
            {"Ffrtmp-Protocol": str(PROTOCOL)},
            credential=f"of-{self.root}",
            media_roots=[self.root],
            max_concurrent_jobs=8,
        )["id"]

    def submit(self, **parameters: Any) -> Document:
        """The plan of a new job, which the node holds."""
        sent = {
            "scenario": "720p-h264",
            "input": f"media:{self.root}/a.mp4",
            "parameters": {"split": 2, **parameters},
            "constraints": {"labels": self.corner.labels},
        }
        got(self._owner.post("/jobs", json=sent), 201)
        return self.claim()

    def claim(self) -> Document:
        claimed: Document = self.corner.poll(self.node)["job"]
        return claimed

    def plan(self, claimed: Document, **found: Any) -> None:
        got(self.corner.report(claimed, findings={"divisible": {**divisible(), **found}}))

    def make(self, claimed: Document, file: Document, path: str) -> None:
        made = artifact(file, path, "intermediate", "video/mp4")
        got(self.corner.report(claimed, findings={"artifacts": [made]}, metrics={"hardness": 1.0}))

    def put(self, claimed: Document) -> Document:
        return store(self.client, content(1000, f"{claimed['part']} {self.root}"), job_id=claimed["id"])


@pytest.fixture
def agent(master: Master, corner: Corner) -> Iterator[Agent]:
    tag = corner.labels["corner"]
    token = got(corner.client.post("/tokens", json={"role": "submitter", "name": f"alice-{tag[:8]}"}), 201)
    with master.client(f"of-{tag}") as client, master.client(token["token"]) as owner:
        for each in (client, owner):
            each.headers.update({"Via": "1.1 proxy"})
        yield Agent(corner, client, owner)


@pytest.fixture
def hers(corner: Corner) -> str:
    """The name of a file of somebody else."""
    return str(store(corner.client, content(500, corner.labels))["sha256"])


def test_a_chunk_with_a_bitrate_reads_what_looks_found(agent: Agent) -> None:
    agent.plan(agent.submit(bitrate="500k"))
    looks = {}
    for _ in range(2):
        claimed = agent.claim()
        file = looks[claimed["part"]] = agent.put(claimed)
        agent.make(claimed, file, "ffmpeg-0.log")
    assert sorted(looks) == ["look-001", "look-002"]
    for file in looks.values():  # nobody holds what they are for
        refused(agent.client.get(f"/files/{file['sha256']}"), problems.UNKNOWN_FILE)
    while (claimed := agent.claim())["stage"] != "chunk":
        assert claimed["stage"] == "sound"
    for part in claimed["parts"]:
        sha256 = looks[part["part"]]["sha256"]
        assert part["artifacts"][0]["location"] == f"file:{sha256}"
        assert sha256_of(agent.client.get(f"/files/{sha256}").content) == sha256


def test_a_join_reads_what_chunks_made(agent: Agent) -> None:
    agent.plan(agent.submit(crf=23))
    made = []
    while (claimed := agent.claim())["stage"] != "join":
        made.append(agent.put(claimed))
        agent.make(claimed, made[-1], "chunk.mp4")
    assert len(made) == 3
    for file in made:
        assert agent.client.get(f"/files/{file['sha256']}").ok


def test_a_plan_that_names_a_file_of_another_gives_nobody_access_to_it(agent: Agent, hers: str) -> None:
    agent.plan(agent.submit(crf=23), input=f"file:{hers}")
    assert agent.claim()["input"] == f"file:{hers}"
    refused(agent.client.get(f"/files/{hers}"), problems.UNKNOWN_FILE)


def test_a_part_that_names_a_file_of_another_gives_nobody_access_to_it(agent: Agent, hers: str) -> None:
    agent.plan(agent.submit(crf=23))
    while (claimed := agent.claim())["stage"] != "join":
        agent.make(claimed, {"sha256": hers, "size": 500}, "chunk.mp4")
    refused(agent.client.get(f"/files/{hers}"), problems.UNKNOWN_FILE)
