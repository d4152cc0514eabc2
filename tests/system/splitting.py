"""What tests of split files share: a film, two nodes that see it, and what became of its parts."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information

from tests.masters import Client, Master, wait_until
from tests.system.farm import LASTING, Agent, Farm, job

SPLIT: dict[str, Any] = {"split": 3, "crf": 30, "preset": "ultrafast", "threads": 1, "overwrite": True}
"""Parameters of a job in three chunks."""
SLOW: dict[str, Any] = {**LASTING, "split": 4, "overwrite": True}
"""Parameters of a job in four chunks, each of which takes long enough to be caught in the middle."""
FILM = "media:films/film.mp4"


def make_film(folder: Path, *more: str, seconds: int = 12, name: str = "film.mp4") -> Path:
    """A film with sound that can be cut every two seconds, in the media root `folder`."""
    folder.mkdir(exist_ok=True)
    made = ["-f", "lavfi", "-i", f"testsrc2=size=160x90:rate=25:duration={seconds}"]
    made += ["-f", "lavfi", "-i", f"sine=frequency=300:duration={seconds}", "-g", "50", *more]
    encoder = () if "-c:v" in more else ("-preset", "ultrafast")
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *made, *encoder, str(folder / name)]
    subprocess.run(argv, check=True)
    return folder / name


def worker(farm: Farm, master: Master, media: Path, name: str, *more: str) -> Agent:
    """An agent that can read and write the media root, and does one job at a time."""
    flags = ("--max-concurrent-jobs=1", f"--media-root=films={media}", f"--output-root=films={media}")
    return farm.agent(master, *flags, *more, name=name)


def two(farm: Farm, master: Master, media: Path, *more: str) -> list[Agent]:
    """Two such agents, registered."""
    agents = [worker(farm, master, media, name, *more) for name in ("one", "two")]
    for agent in agents:
        agent.says("Registered with", 40)
    return agents


def parts_of(client: Client, job_id: str) -> dict[str, dict[str, Any]]:
    """The parts of a job, by name; no twins."""
    return {part["part"]: part for part in _all_parts(client, job_id) if part["twin_of"] is None}


def twins_of(client: Client, job_id: str) -> dict[str, dict[str, Any]]:
    """The twins of the parts of a job, by the ids of these."""
    return {part["twin_of"]: part for part in _all_parts(client, job_id) if part["twin_of"] is not None}


def _all_parts(client: Client, job_id: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = client.get("/jobs", params={"parent_id": job_id}).json()["jobs"]
    return listed


def twin_on(client: Client, job_id: str, of: dict[str, Any], agent: Agent) -> dict[str, Any]:
    """The twin of a part, once that node runs it."""

    def look() -> dict[str, Any] | None:
        twin = twins_of(client, job_id).get(of["id"])
        return twin if twin is not None and twin["node_id"] == agent.node_id else None

    found: dict[str, Any] = wait_until(look, f"{agent.name} runs {of['part']} again", 60)
    return found


def chunk_on(client: Client, job_id: str, agent: Agent, but: Sequence[str] = ()) -> dict[str, Any]:
    """A chunk that runs there, once there is one."""

    def look() -> dict[str, Any] | None:
        for name, part in parts_of(client, job_id).items():
            mine = (part["status"], part["node_id"]) == ("running", agent.node_id)
            if mine and name.startswith("chunk") and name not in but:
                return part
        return None

    found: dict[str, Any] = wait_until(look, f"{agent.name} encodes a chunk", 60)
    return found


def attempts(client: Client, job_id: str) -> dict[str, list[str | None]]:
    """How the attempts of each part ended."""
    return {
        name: [attempt["outcome"] for attempt in job(client, part["id"])["attempts"]]
        for name, part in parts_of(client, job_id).items()
    }


def has_nothing_to_do(agent: Agent) -> None:
    """Fails the test if anything still runs there."""
    wait_until(lambda: not agent.ffmpegs(), f"{agent.name} has nothing to do")


def nothing_is_stored(client: Client) -> None:
    """Fails the test if anything stays in the file store."""
    wait_until(lambda: not client.get("/files").json()["files"], "the file store is empty")
