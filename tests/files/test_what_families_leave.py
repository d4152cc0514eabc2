"""What nodes hand to each other for a split job leaves `GET /files` when that ends, in whatever way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from common.version import PROTOCOL
from tests.api.corner import Corner, got
from tests.api.test_divisible_inputs import divisible
from tests.files.support import artifact, content, store
from tests.masters import Client, Master, start_master, wait_until

Document = dict[str, Any]


class Story:
    """A job that is split in two, and the one node that works at it."""

    def __init__(self, master: Master, client: Client) -> None:
        self.master, self.corner = master, Corner(client)
        self.name = self.corner.labels["corner"]
        self.put_here: dict[str, str] = {}
        self.node = self.corner.register(
            {"Ffrtmp-Protocol": str(PROTOCOL)},
            credential=f"of-the-node-{self.name}",
            media_roots=[self.name],
            max_concurrent_jobs=8,
        )["id"]
        parameters = {"split": 2, "crf": 23}
        wanted = {"input": f"media:{self.name}/a.mp4", "output": "files"}
        self.id = self.corner.submit(**wanted, parameters=parameters)["id"]

    def restarted(self, master: Master, client: Client) -> None:
        self.master, self.corner.client = master, client

    def claim(self) -> Document:
        claimed: Document = self.corner.poll(self.node)["job"]
        return claimed

    def put(self, claimed: Document, what: str) -> Document:
        """The node stores something for the job that it holds."""
        with self.master.client(f"of-the-node-{self.name}") as node:
            file = store(node, content(1000, f"{what} of {self.name}"), job_id=claimed["id"])
        self.put_here[what] = file["sha256"]
        return file

    def plan(self, found: Document) -> None:
        """The node puts the input into the store, and reports what it found."""
        claimed = self.claim()
        assert (claimed["stage"], claimed["hand_on"]) == ("plan", True)
        file = self.put(claimed, "input")
        named = {**found, "input": f"file:{file['sha256']}"}
        got(self.corner.report(claimed, findings={"divisible": named}))

    def make(self, claimed: Document) -> None:
        """A part puts into the store what the join needs."""
        made = artifact(self.put(claimed, claimed["part"]), "chunk.mp4", "intermediate", "video/mp4")
        got(self.corner.report(claimed, findings={"artifacts": [made]}))

    def finish(self) -> None:
        """The last attempt puts the film into the store."""
        film = artifact(self.put(claimed := self.claim(), "film"), "film.mp4", "video", "video/mp4")
        got(self.corner.report(claimed, findings={"artifacts": [film]}))

    def files(self) -> set[str]:
        """What of it is in the store."""
        there = {each["sha256"] for each in got(self.corner.client.get("/files?limit=1000"))["files"]}
        return {what for what, sha256 in self.put_here.items() if sha256 in there}

    def leaves(self, *whats: str) -> None:
        wait_until(lambda: self.files() == set(whats), f"of all files there are {whats}", 30)


def complete(story: Story) -> None:
    """The last part is made, and all are joined."""
    story.make(story.claim())
    assert story.files() == {"input", "chunk-001", "chunk-002", "sound"}
    story.finish()


def fail(story: Story) -> None:
    story.put(claimed := story.claim(), "a part that nobody was told of")
    story.corner.fail(claimed)


def cancel(story: Story) -> None:
    got(story.corner.client.post(f"/jobs/{story.id}/cancel"))


ENDS: dict[str, tuple[Callable[[Story], None], list[str]]] = {
    "completed": (complete, ["film"]),
    "failed": (fail, []),
    "canceled": (cancel, []),
}


@pytest.mark.parametrize("how", ENDS)
def test_nothing_is_left_but_what_the_job_made(master: Master, corner: Corner, how: str) -> None:
    story = Story(master, corner.client)
    story.plan(divisible())
    for _ in range(2):
        story.make(story.claim())
    assert len(story.files()) == 3
    end, left = ENDS[how]
    end(story)
    story.leaves(*left)
    assert story.corner.job(story.id)["status"] == how


@pytest.mark.parametrize("how", ["completed", "failed", "canceled"])
def test_an_input_that_was_handed_on_in_vain_goes_too(master: Master, corner: Corner, how: str) -> None:
    story = Story(master, corner.client)
    story.plan({"reason": "it has no end"})
    assert story.corner.job(story.id)["stage"] == "encode"
    if how == "completed":
        story.finish()
    elif how == "failed":
        story.corner.fail(story.claim())
    else:
        cancel(story)
    story.leaves(*(["film"] if how == "completed" else []))
    assert story.corner.job(story.id)["status"] == how


def test_a_plan_that_is_canceled_leaves_no_input(master: Master, corner: Corner) -> None:
    story = Story(master, corner.client)
    story.put(story.claim(), "input")
    assert story.files() == {"input"}
    cancel(story)
    story.leaves()


@pytest.fixture
def masters(tmp_path: Path) -> Iterator[list[Master]]:
    started = [start_master(tmp_path / "state", lease="1h", heartbeat_timeout="1h")]
    yield started
    assert started[-1].stop() == 0


def restart(masters: list[Master]) -> Master:
    masters[-1].kill()
    state, port = masters[-1].state_dir, masters[-1].port
    masters.append(start_master(state, port=port, lease="1h", heartbeat_timeout="1h"))
    return masters[-1]


def test_a_master_that_is_killed_in_between_and_at_the_end_removes_it_all_the_same(
    masters: list[Master],
) -> None:
    with masters[0].client() as client:
        stories = {how: Story(masters[0], client) for how in (*ENDS, "encoded whole")}
        for how, story in stories.items():
            story.plan({"reason": "it has no end"} if how == "encoded whole" else divisible())
            if how in ENDS:
                story.make(story.claim())
    with restart(masters).client() as client:
        for how, story in stories.items():
            story.restarted(masters[-1], client)
            if how in ENDS:
                story.make(story.claim())
                assert len(story.files()) == 3
                ENDS[how][0](story)
            else:
                assert story.files() == {"input"}
                story.finish()
    with restart(masters).client() as client:
        for how, story in stories.items():
            story.restarted(masters[-1], client)
            story.leaves(*(ENDS[how][1] if how in ENDS else ["film"]))
