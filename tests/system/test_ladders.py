"""One job makes a ladder on several nodes: it plays, its rungs are in step; it ends whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest

from tests.masters import Client, wait_until
from tests.ranges import serving
from tests.system.farm import Agent, Farm, job, job_is, outcomes, submit

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
FRAMES, SECONDS = 75, 3
PARAMETERS: dict[str, Any] = {
    "ladder": ["180p:400k", "120p:200k", "90p:100k"],
    "preset": "ultrafast",
    "segment_seconds": 1,
}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Three seconds with sound; the first of them is black."""
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    picture = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x180:rate=25,drawbox=color=black:t=fill:enable='lt(t,1)'",
    ]
    sound = ["-f", "lavfi", "-i", "sine=frequency=300"]
    encode = ["-t", f"{SECONDS}", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
    subprocess.run([FFMPEG, "-v", "error", *picture, *sound, *encode, str(file)], check=True)
    return file.read_bytes()


def decoded(url: str, number: int) -> int:
    """How many pictures ffmpeg decodes of that rung, and has nothing to say against."""
    argv = [FFMPEG, "-v", "error", "-i", url, "-map", f"0:v:{number}", "-fps_mode", "passthrough"]
    argv += ["-f", "framecrc", "-"]
    ended = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    return sum(not line.startswith("#") for line in ended.stdout.splitlines())


class Ladder:
    """A farm with roots that all its agents read and write."""

    def __init__(self, farm: Farm, film: bytes, tmp_path: Path, **flags: Any) -> None:
        self.films, self.finished = tmp_path / "films", tmp_path / "finished"
        self.films.mkdir()
        self.finished.mkdir()
        (self.films / "a.mp4").write_bytes(film)
        self._farm = farm
        self.master = farm.master(**flags)

    def agent(self, name: str) -> Agent:
        roots = (f"--media-root=films={self.films}", f"--output-root=finished={self.finished}")
        return self._farm.agent(self.master, *roots, name=name)

    def submit(self, client: Client, output: str = "media:finished/a", **parameters: Any) -> str:
        return submit(client, {**PARAMETERS, **parameters}, input="media:films/a.mp4", output=output)


def parts(client: Client, job_id: str) -> list[dict[str, Any]]:
    answer = client.get(f"/jobs?parent_id={job_id}")
    assert answer.status_code == 200
    return sorted(answer.json()["jobs"], key=lambda part: -part["parameters"]["height"])


def key_frames(playlist: Path) -> list[float]:
    """When the pictures begin anew; every picture is decoded on the way."""
    with av.open(str(playlist)) as file:
        frames = list(file.decode(video=0))
    assert len(frames) == FRAMES
    return [round(float(frame.time), 3) for frame in frames if frame.key_frame]


def test_an_hls_ladder_is_made_by_two_nodes_and_plays(farm: Farm, film: bytes, tmp_path: Path) -> None:
    ladder = Ladder(farm, film, tmp_path)
    agents = [ladder.agent("one"), ladder.agent("two")]
    with ladder.master.client() as client:
        for agent in agents:
            agent.says("Registered with")
        job_id = ladder.submit(client, pictures=True)
        job_is(client, job_id, "completed", 90)
        found = parts(client, job_id)
        assert [part["part"] for part in found] == ["180p", "120p", "90p"]
        assert {part["status"] for part in found} == {"completed"}
        assert outcomes(job(client, job_id)) == ["divided", "completed"]
        result = client.get(f"/jobs/{job_id}/result").json()
        whole = [client.get(f"/jobs/{part['id']}/result").json()["metrics"] for part in found]
    place = ladder.finished / "a"
    text = (place / "master.m3u8").read_text()
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        f"{name}/480p30-h264.m3u8" for name in ("180p", "120p", "90p")
    ]
    assert text.count('CODECS="avc1.') == 3 == text.count("mp4a.40.2")
    assert "RESOLUTION=320x180,FRAME-RATE=25.000" in text
    times = [key_frames(place / name / "480p30-h264.m3u8") for name in ("180p", "120p", "90p")]
    assert times[0] == times[1] == times[2] == [0.0, 1.0, 2.0]
    metrics = result["metrics"]
    assert (metrics["frames"], metrics["width"], metrics["height"]) == (FRAMES, 320, 180)
    assert metrics["cpu_seconds"] == pytest.approx(sum(each["cpu_seconds"] for each in whole))
    assert metrics["speed"] is None  # of several encodes on several nodes there is none
    paths = {artifact["path"]: artifact for artifact in result["artifacts"]}
    assert {"master.m3u8", "90p/480p30-h264.m4s", "pictures/poster.jpg", "pictures/thumbnails.vtt"} <= set(
        paths
    )
    for path, artifact in paths.items():
        assert (place / path).stat().st_size == artifact["size"]
        assert artifact["location"] == f"media:finished/a/{path}"
    for number in range(3):
        assert decoded(str(place / "master.m3u8"), number) == FRAMES


def test_a_dash_ladder_is_one_manifest(farm: Farm, film: bytes, tmp_path: Path) -> None:
    ladder = Ladder(farm, film, tmp_path)
    ladder.agent("one")
    with ladder.master.client() as client:
        job_id = ladder.submit(client, container="dash", ladder=["180p", "90p"])
        job_is(client, job_id, "completed", 90)
    text = (ladder.finished / "a" / "manifest.mpd").read_text()
    assert text.count("<AdaptationSet") == 2  # the pictures of both, and the sound of one
    assert text.count("<Representation") == 3
    with serving(ladder.finished) as url:
        assert [decoded(f"{url}/a/manifest.mpd", number) for number in (0, 1)] == [FRAMES, FRAMES]


@pytest.mark.parametrize(("container", "main"), [("hls", "master.m3u8"), ("dash", "manifest.mpd")])
def test_a_ladder_in_the_file_store_plays_from_what_is_got(
    farm: Farm, film: bytes, tmp_path: Path, container: str, main: str
) -> None:
    ladder = Ladder(farm, film, tmp_path)
    ladder.agent("one")
    with ladder.master.client() as client:
        job_id = ladder.submit(client, output="files", container=container, ladder=["180p", "90p"])
        job_is(client, job_id, "completed", 90)
        for artifact in client.get(f"/jobs/{job_id}/result").json()["artifacts"]:
            assert artifact["location"] == f"file:{artifact['sha256']}"
            got = client.get(f"/jobs/{job_id}/artifacts/{artifact['path']}")
            assert got.headers["Content-Type"].startswith(artifact["media_type"])
            file = tmp_path / "got" / artifact["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(got.content)
    if container == "hls":
        assert [decoded(str(tmp_path / "got" / main), number) for number in (0, 1)] == [FRAMES, FRAMES]
    else:
        with serving(tmp_path / "got") as url:
            assert [decoded(f"{url}/{main}", number) for number in (0, 1)] == [FRAMES, FRAMES]


def test_a_node_that_dies_in_a_rung_delays_the_family_only(farm: Farm, film: bytes, tmp_path: Path) -> None:
    ladder = Ladder(farm, film * 1, tmp_path, lease="4s", heartbeat_timeout="4s")
    first = ladder.agent("one")
    with ladder.master.client() as client:
        job_id = ladder.submit(client, preset="veryslow", threads=1)
        wait_until(
            lambda: any(part["status"] == "running" for part in parts(client, job_id)), "a rung is made"
        )
        os.kill(first.process.pid, signal.SIGSTOP)
        stopped = [part["id"] for part in parts(client, job_id) if part["status"] == "running"]
        first.kill()
        ladder.agent("two")
        job_is(client, job_id, "completed", 90)
        for part_id in stopped:
            assert outcomes(job(client, part_id)) == ["lost", "completed"]
    assert (ladder.finished / "a" / "master.m3u8").exists()


def test_a_rung_that_cannot_be_written_fails_the_ladder(farm: Farm, film: bytes, tmp_path: Path) -> None:
    ladder = Ladder(farm, film, tmp_path)
    (ladder.finished / "a").mkdir()
    (ladder.finished / "a" / "90p").write_text("somebody else's")
    ladder.agent("one")
    with ladder.master.client() as client:
        job_id = ladder.submit(client)
        failed = job_is(client, job_id, "failed", 90)
        assert failed["error"]["code"] == "output_exists"
        assert failed["error"]["message"].startswith("part 90p: ")
        assert {part["status"] for part in parts(client, job_id)} <= {"completed", "failed", "canceled"}
        again = client.post(f"/jobs/{parts(client, job_id)[0]['id']}/retry")
        assert again.json()["type"].endswith("part_of_job")
    assert not (ladder.finished / "a" / "master.m3u8").exists()
    assert (ladder.finished / "a" / "90p").read_text() == "somebody else's"


def test_cancelling_a_ladder_ends_the_rung_that_runs(farm: Farm, film: bytes, tmp_path: Path) -> None:
    ladder = Ladder(farm, film, tmp_path)
    agent = ladder.agent("one")
    with ladder.master.client() as client:
        job_id = submit(
            client, {**PARAMETERS, "duration": 36_000, "threads": 1}, output="media:finished/endless"
        )
        wait_until(
            lambda: any(part["status"] == "running" for part in parts(client, job_id)), "a rung is made"
        )
        wait_until(agent.ffmpegs, "ffmpeg runs")
        assert "0 of 3 completed" in job(client, job_id)["pending_reason"]
        assert client.post(f"/jobs/{job_id}/cancel").json()["status"] == "canceled"
        assert {part["status"] for part in parts(client, job_id)} == {"canceled"}
        wait_until(lambda: not agent.ffmpegs(), "the encode has ended", 30)
