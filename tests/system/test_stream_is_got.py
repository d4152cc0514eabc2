"""An HLS stream that a job put into the file store plays from the directory that it was got into."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information

from tests.operator.conftest import Ffrtmp
from tests.system.farm import TINY, Farm, job_is


def test_it_plays_from_there(farm: Farm, tmp_path: Path) -> None:
    master = farm.master(max_attempts=1)
    farm.agent(master)
    ffrtmp = Ffrtmp(master.url, tmp_path)
    asked = [f"-p{name}={value}" for name, value in {**TINY, "container": "hls", "width": 128}.items()]
    done = ffrtmp("jobs", "submit", "480p-h264", "--output", "files", "-pheight=72", *asked)
    job_id = done.stdout.strip()
    with master.client() as client:
        job_is(client, job_id, "completed")
        frames = client.get(f"/jobs/{job_id}/result").json()["metrics"]["frames"]
    for command in (("jobs", "show"), ("results",)):
        assert ".m3u8" in ffrtmp(*command, job_id).stdout
    got = ffrtmp("files", "get", job_id, "-o", str(tmp_path / "copy"))
    assert got.returncode == 0, got.stderr
    playlist = min((tmp_path / "copy").rglob("*.m3u8"), key=lambda path: (len(path.parts), path.name))
    played = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", playlist, "-f", "framecrc", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert played.stderr == ""
    lines = [line for line in played.stdout.splitlines() if line.startswith("0,")]
    assert len(lines) == frames
    assert master.stop() == 0
