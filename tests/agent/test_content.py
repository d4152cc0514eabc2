"""A picture that ffmpeg makes shows what was asked for, the same on every node, at every size and rate."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import av
import pytest

from agent import clip as clips
from agent.ffmpeg.content import CLIP_SHA256, graph
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.runner import run_job
from agent.sandbox import Sandbox
from agent.task import Assignment
from common.model import Report, Value
from common.scenarios import SCENARIOS
from common.settings import resolve
from tests.agent.conftest import measured

SMALL: dict[str, Value] = {"duration": 0.5, "width": 320, "height": 180, "crf": 20, "preset": "ultrafast"}


class Node:
    """Encodes jobs, and keeps its clip."""

    def __init__(self, spawner: Spawner, toolbox: Toolbox, directory: Path, sandbox: Sandbox) -> None:
        self._parts = (spawner, toolbox, directory, sandbox)
        self.clips = directory / "clips"

    def __call__(self, job_id: str, **parameters: Value) -> Report:
        spawner, toolbox, directory, sandbox = self._parts
        report = run_job(
            Assignment(job_id, "480p-h264", {**SMALL, **parameters}, "lease-1", 1),
            "node-1",
            toolbox,
            spawner,
            directory / "work",
            lambda *_: None,
            threading.Event(),
            sandbox=sandbox,
            clips=self.clips,
        )
        assert report is not None
        assert report.error is None
        return report


@pytest.fixture
def node(spawner: Spawner, toolbox: Toolbox, tmp_path: Path) -> Node:
    return Node(spawner, toolbox, tmp_path, Sandbox())


def test_in_the_sandbox_the_clip_is_an_open_file_too(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path, sandbox: Sandbox
) -> None:
    report = Node(spawner, toolbox, tmp_path, sandbox)("job-1", content="complex")
    assert (report.metrics["frames"], report.findings.warnings) == (15, ())


def size(report: Report) -> int:
    number = report.metrics["output_bytes"]
    assert isinstance(number, int)
    return number


def test_each_content_is_harder_than_the_test_picture_and_noise_is_the_hardest(node: Node) -> None:
    sizes = {
        content: size(node(f"job-{content}", content=content))
        for content in ("test", "motion", "complex", "noise")
    }
    assert sizes["test"] < min(sizes["motion"], sizes["complex"])
    assert sizes["noise"] == max(sizes.values())


def test_without_content_it_is_the_test_picture_as_ever(node: Node) -> None:
    assert size(node("job-1")) == size(node("job-2", content="test"))
    settings = resolve(SCENARIOS["480p-h264"], SMALL)
    assert graph(settings) == "testsrc2=size=320x180:rate=30"


def test_the_complex_clip_is_made_once_and_is_the_usual_one(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert node("job-1", content="complex").findings.warnings == ()
    before = (node.clips / "complex.yuv").stat()
    monkeypatch.setattr(clips, "_checked", {})  # as a new agent
    report = node("job-2", content="complex", fps=24, audio="aac", duration=3)
    assert (node.clips / "complex.yuv").stat().st_ino == before.st_ino
    assert report.metrics["frames"] == 72  # more than the clip has
    with av.open(str(report.metrics["output_path"])) as made:
        assert (len(made.streams.audio), made.streams.video[0].width) == (1, 320)
    assert report.findings.warnings == ()


def test_a_damaged_clip_is_made_anew(node: Node) -> None:
    node("job-1", content="complex")
    with (node.clips / "complex.yuv").open("r+b") as file:
        file.write(b"damage")
    assert node("job-2", content="complex").findings.warnings == ()


def test_a_clip_that_this_ffmpeg_makes_differently_is_kept_and_said(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clips, "CLIP_SHA256", "0" * 64)
    (warning,) = node("job-1", content="complex").findings.warnings
    assert CLIP_SHA256[:16] in warning
    assert "compare with results of this node only" in warning
    before = (node.clips / "complex.yuv").stat().st_ino
    node("job-2", content="complex")
    assert (node.clips / "complex.yuv").stat().st_ino == before


@pytest.mark.parametrize("content", ["noise", "motion"])
@pytest.mark.parametrize(("width", "height"), [(16, 16), (1918, 42), (64, 2160)])
def test_odd_sizes_can_be_made(node: Node, content: str, width: int, height: int) -> None:
    report = node("job-1", content=content, width=width, height=height, duration=0.2)
    assert (report.metrics["width"], report.metrics["height"]) == (width, height)


def test_what_is_made_is_the_same_each_time(node: Node) -> None:
    digests: set[object] = set()
    for job_id in ("job-1", "job-2"):
        report = node(job_id, content="motion", crf=0, duration=0.2)
        digests.add(dataclasses.astuple(measured(Path(str(report.metrics["output_path"])))))
        digests.add(report.findings.artifacts[0].sha256)
    assert len(digests) == 2
