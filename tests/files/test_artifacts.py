"""What a job made and stored is got by its path in the result, and a playlist plays from there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest

from common import problems
from common.media_types import media_type_of
from tests.api.corner import Corner, got, refused
from tests.files.support import artifact, content, finish_with, store
from tests.masters import Master

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


@pytest.fixture
def claimed(corner: Corner) -> dict[str, Any]:
    return corner.start()[1]


def test_it_comes_as_what_it_is_and_in_parts(corner: Corner, claimed: dict[str, Any]) -> None:
    data = content(5000, claimed["id"])
    file = store(corner.client, data)
    finish_with(corner, claimed, artifact(file, "poster ä/1.png", "poster", "image/png"))
    address = f"/jobs/{claimed['id']}/artifacts/poster ä/1.png"
    answer = corner.client.get(address)
    assert answer.content == data
    assert answer.headers["Content-Type"] == "image/png"
    assert "Content-Disposition" not in answer.headers
    part = corner.client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, data[10:20])


@pytest.mark.parametrize("path", ["b.mp4", "x/../a.mp4", "A.MP4", "a.mp4/"])
def test_another_path_is_none(corner: Corner, claimed: dict[str, Any], path: str) -> None:
    file = store(corner.client, content(100, claimed["id"]))
    finish_with(corner, claimed, artifact(file, "a.mp4", "video", "video/mp4"))
    path = path.replace("..", "%2e%2e")
    answer = corner.client.get(f"/jobs/{claimed['id']}/artifacts/{path}")
    assert answer.status_code == 404


@pytest.mark.parametrize("location", [None, "media:films/a.mp4", "file:" + "0" * 64])
def test_what_is_elsewhere_is_not_got_here(
    corner: Corner, claimed: dict[str, Any], location: str | None
) -> None:
    file = store(corner.client, content(100, claimed["id"]))
    made = {**artifact(file, "a.mp4", "video", "video/mp4"), "location": location}
    finish_with(corner, claimed, made)
    refused(corner.client.get(f"/jobs/{claimed['id']}/artifacts/a.mp4"), problems.UNKNOWN_FILE)


def test_a_page_that_a_job_made_is_not_run(corner: Corner, claimed: dict[str, Any]) -> None:
    file = store(corner.client, b"<script>" + claimed["id"].encode())
    finish_with(corner, claimed, artifact(file, "a.html", "quality", "text/html"))
    answer = corner.client.get(f"/jobs/{claimed['id']}/artifacts/a.html")
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_stream_of_segments_plays_from_the_master(
    master: Master, corner: Corner, claimed: dict[str, Any], tmp_path: Path
) -> None:
    picture = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10:duration=3"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10"]
    hls = ["-f", "hls", "-hls_time", "1", "-hls_segment_type", "fmp4", "-hls_playlist_type", "vod"]
    folder = tmp_path / "out" / "720p"
    folder.mkdir(parents=True)
    subprocess.run([FFMPEG, "-v", "error", *picture, *encode, *hls, str(folder / "index.m3u8")], check=True)
    (tmp_path / "out" / "master.m3u8").write_text(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\n720p/index.m3u8\n"
    )
    made = []
    for path in sorted(each for each in (tmp_path / "out").rglob("*") if each.is_file()):
        name = str(path.relative_to(tmp_path / "out"))
        kind = "playlist" if name.endswith(".m3u8") else "segment"
        media_type = media_type_of(name) or "video/mp4"
        made.append(artifact(store(corner.client, path.read_bytes()), name, kind, media_type))
    assert len(made) == 6  # two playlists, the beginning of all segments, three segments
    finish_with(corner, claimed, *made)
    address = f"/jobs/{claimed['id']}/artifacts/master.m3u8"
    assert corner.client.get(address).headers["Content-Type"] == "application/vnd.apple.mpegurl"
    # It may come from this machine without a token, by the local door.
    played = subprocess.run(
        [FFMPEG, "-v", "error", "-i", master.url + address, "-f", "null", "-progress", "-", "-"],
        env={**os.environ, "SSL_CERT_FILE": str(master.ca)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert played.returncode == 0, played.stderr
    assert "frame=30\n" in played.stdout, played.stderr
    assert got(corner.client.get(f"/jobs/{claimed['id']}/result"))["artifacts"] == made
