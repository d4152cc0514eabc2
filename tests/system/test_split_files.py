"""A file that is split over two real agents is the file that one agent makes of it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest

from tests.files.support import store
from tests.masters import Client
from tests.split.pieces import CLOSE, decoded, packets
from tests.system.farm import Farm, job_is, submit

SPLIT: dict[str, Any] = {"split": 3, "crf": 30, "preset": "ultrafast", "threads": 1, "overwrite": True}
"""Parameters of a job in three chunks."""


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A media root with a film of twelve seconds."""
    media = tmp_path / "media"
    media.mkdir()
    made = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=12"]
    made += ["-f", "lavfi", "-i", "sine=frequency=300:duration=12", "-g", "50", "-preset", "ultrafast"]
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *made, str(media / "film.mp4")], check=True
    )
    return media


def parts_of(client: Client, job_id: str) -> list[dict[str, Any]]:
    """The parts of a job."""
    return list(client.get("/jobs", params={"parent_id": job_id}).json()["jobs"])


def two(farm: Farm, master: Any, media: Path) -> list[Any]:
    """Two agents that can write to the media root."""
    flags = ("--max-concurrent-jobs=1", f"--media-root=films={media}", f"--output-root=films={media}")
    agents = [farm.agent(master, *flags, name=name) for name in ("one", "two")]
    for agent in agents:
        agent.says("Registered with")
    return agents


def test_the_joined_file_is_what_an_unsplit_encode_is(farm: Farm, media: Path) -> None:
    master = farm.master()
    two(farm, master, media)
    with master.client() as client:
        stored = store(client, (media / "film.mp4").read_bytes())["sha256"]
        jobs = {
            "whole.mp4": submit(
                client,
                {"crf": 30, "preset": "ultrafast", "threads": 1},
                input="media:films/film.mp4",
                output="media:films/whole.mp4",
            )
        }
        for name, input_ in (("root.mp4", "media:films/film.mp4"), ("store.mp4", f"file:{stored}")):
            jobs[name] = submit(client, SPLIT, input=input_, output=f"media:films/{name}")
        for job_id in jobs.values():
            job_is(client, job_id, "completed", 120)
        chunks = [part for part in parts_of(client, jobs["root.mp4"]) if part["part"].startswith("chunk")]
        assert len(chunks) == 3
        for kind in ("video", "audio"):
            whole = packets(media / "whole.mp4", kind)
            assert packets(media / "root.mp4", kind) == pytest.approx(whole, abs=CLOSE)
        assert decoded(media / "root.mp4") == 300
        assert (media / "root.mp4").read_bytes() == (media / "store.mp4").read_bytes()
        metrics = client.get(f"/jobs/{jobs['root.mp4']}/result").json()["metrics"]
        assert metrics["frames"] == 300
        assert metrics["audio_tracks"] == 1


def test_what_is_no_film_fails_and_leaves_nothing(farm: Farm, media: Path) -> None:
    (media / "film.mp4").write_bytes(b"no film" * 1000)
    master = farm.master(max_attempts=1)
    two(farm, master, media)
    with master.client() as client:
        job_id = submit(client, SPLIT, input="media:films/film.mp4", output="media:films/none.mp4")
        found = job_is(client, job_id, "failed", 60)
        assert found["error"]["code"] == "input_invalid"
        assert not (media / "none.mp4").exists()
        assert client.get("/files").json()["files"] == []
