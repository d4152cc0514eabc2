"""Pictures of an input: upright, of its shape, never a black poster, and each in its place of the sprite."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import av
import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest

from agent import sprite
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.inputs.rules import InputRules
from agent.pictures import best_moment
from agent.runner import run_job
from agent.sandbox import Sandbox
from agent.task import Assignment
from common.model import JobStatus, Report


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds: black, red, blue, and one that is full of detail; stored on its side."""
    path = tmp_path_factory.mktemp("films") / "a.mp4"
    colours = [f"color=c={name}:s=128x72:r=10:d=1" for name in ("black", "red", "blue")]
    graph = ";".join(f"{c}[{n}]" for n, c in enumerate([*colours, "testsrc2=s=128x72:r=10:d=1"]))
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    flat = path.with_name("flat.mp4")
    argv = [ffmpeg, "-v", "error", "-filter_complex", f"{graph};[0][1][2][3]concat=n=4,setsar=2[v]"]
    subprocess.run([*argv, "-map", "[v]", "-c:v", "libx264", str(flat)], check=True)
    turned = [ffmpeg, "-v", "error", "-display_rotation", "90", "-i", str(flat), "-c", "copy", str(path)]
    subprocess.run(turned, check=True)
    return path


@pytest.fixture
def made(film: Path, tmp_path: Path, spawner: Spawner, toolbox: Toolbox, sandbox: Sandbox) -> Report:
    report = run_job(
        Assignment(
            "job-1",
            "480p30-h264",
            {"preset": "ultrafast", "pictures": True, "height": 64},
            "lease-1",
            1,
            input="media:films/a.mp4",
        ),
        "node-1",
        toolbox,
        spawner,
        tmp_path,
        lambda _progress, _lines: None,
        threading.Event(),
        sandbox=sandbox,
        inputs=InputRules(media_roots={"films": film.parent}),
    )
    assert report is not None
    assert report.status is JobStatus.COMPLETED, report.error
    return report


def picture(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as file:
        return next(file.decode(video=0))


def colour(frame: av.VideoFrame, x: int, y: int) -> str:
    """Which of the film's colours a place of a picture has."""
    red, _, blue = frame.to_ndarray(format="rgb24")[y, x]
    return "black" if max(red, blue) < 64 else "red" if red > blue else "blue"


def test_all_pictures_are_artifacts_and_show_what_they_say(made: Report, tmp_path: Path) -> None:
    kinds = [str(artifact.kind) for artifact in made.findings.artifacts]
    assert (kinds.count("thumbnail"), kinds.count("poster"), kinds.count("sprite"), kinds.count("vtt")) == (
        4,
        1,
        1,
        1,
    )
    (place,) = {path.parent for path in tmp_path.rglob("sprite.jpg")}
    sheet = picture(place / "sprite.jpg")
    # 128x72 in pixels twice as wide as high, upright: 72 to 256; the sides of a tile are 160 at most.
    assert (sheet.width, sheet.height) == (4 * 44, 160)
    assert [colour(sheet, 44 * n + 22, 80) for n in range(3)] == ["black", "red", "blue"]
    one = picture(place / "thumbnail-002.jpg")
    assert (one.width, one.height, colour(one, 30, 100)) == (72, 256, "red")
    poster = picture(place / "poster.jpg")
    assert (poster.width, poster.height) == (72, 256)
    assert poster.to_ndarray(format="gray").std() > 20  # neither black nor one colour
    text = (place / "thumbnails.vtt").read_text()
    assert "00:00:01.000 --> 00:00:02.000\nsprite.jpg#xywh=44,0,44,160" in text


def test_the_poster_is_of_the_moment_that_shows_most() -> None:
    assert best_moment([100, 900, 200], 2.0) == 3.0
    assert best_moment([900, *[100] * 4, 300, *[100] * 4], 1.0) == 5.5  # not what is at the edge
    assert best_moment([100], 1.0) == 0.5


def test_a_sprite_is_bounded_whatever_the_length_and_shape() -> None:
    for width, height in ((1920, 1080), (8192, 2), (2, 8192), (100, 100)):
        for seconds in (0.04, 1.0, 99.0, 86_400.0):
            plan = sprite.plan(width, height, seconds)
            assert 1 <= plan.count <= sprite.MOST
            assert plan.count * plan.interval >= seconds - plan.interval
            assert plan.columns * plan.tile[0] <= 1600
            assert plan.rows * plan.tile[1] <= 1600
            assert plan.columns * plan.rows >= plan.count
