"""A file that names other files or servers gets nothing read but itself, in the sandbox and without it."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.ffmpeg import command, process
from agent.ffmpeg.discover import FFmpeg, Toolbox
from agent.ffmpeg.limits import Limits
from agent.ffmpeg.spawner import Spawner
from agent.inputs.rules import InputRules
from agent.runner import run_job
from agent.sandbox import Sandbox, detect
from agent.task import Assignment
from common.model import Report, Scalar
from common.paths import to_text
from common.scenarios import SCENARIOS
from common.settings import Source, resolve
from tests.agent.attacks.files import FILES, Bait, HostileFile
from tests.agent.attacks.observe import Listener, TracedSpawner, listening
from tests.parts import missing

JOB = "00000000-0000-4000-8000-000000000000"
PARAMETERS: dict[str, Scalar] = {"preset": "ultrafast", "width": 64, "height": 64}
SETTINGS = resolve(SCENARIOS["480p-h264"], PARAMETERS, Source(1.0, 64, 64))
LIMITS = Limits(first=20, stall=20, last=20, total=20, grace=1)


@pytest.fixture(scope="module")
def ffmpeg(toolbox: Toolbox) -> FFmpeg:
    return toolbox.chosen["libx264"]


@pytest.fixture(scope="module")
def video(ffmpeg: FFmpeg, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of test picture and sound."""
    file = tmp_path_factory.mktemp("video") / "video.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25", "-f", "lavfi", "-i", "sine"]
    subprocess.run([ffmpeg.path, "-v", "error", *source, "-t", "1", "-preset", "ultrafast", file], check=True)
    return file.read_bytes()


@pytest.fixture(scope="module")
def cage(spawner: Spawner) -> Sandbox:
    found = detect(spawner)
    if not found.is_whole:
        missing(f"no sandbox works here: {found.lack}")
    return found


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[TracedSpawner]:
    (tmp_path / "traces").mkdir()
    spawner = TracedSpawner(tmp_path / "traces")
    with spawner:
        yield spawner


@pytest.fixture
def bait(tmp_path: Path, video: bytes, listener: Listener) -> Bait:
    """The canary is a video that could well be encoded."""
    canary = tmp_path / "canary.mp4"
    canary.write_bytes(video)
    (tmp_path / "films").mkdir()
    return Bait(canary, listener.port, video)


def run(name: str, tmp_path: Path, spawner: Spawner, toolbox: Toolbox, sandbox: Sandbox) -> Report:
    """The job of somebody who names the file, as the agent runs it."""
    place = f"media:films/{to_text(os.fsencode(name))}"
    assignment = Assignment(JOB, "480p-h264", PARAMETERS, "lease-01", 1, place)
    report = run_job(
        assignment,
        "node-001",
        toolbox,
        spawner,
        tmp_path / "work",
        lambda _progress, _lines: None,
        threading.Event(),
        sandbox=sandbox,
        inputs=InputRules({"films": tmp_path / "films"}),
    )
    assert report is not None
    return report


def encode(file: Path, work: Path, spawner: Spawner, ffmpeg: FFmpeg, sandbox: Sandbox) -> None:
    """ffmpeg on the file itself, as if nothing had looked at it before."""
    work.mkdir(exist_ok=True)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        argv = command.build(str(ffmpeg.path), SETTINGS, "out.mp4", descriptor, ffmpeg.version)
        process.run(
            spawner,
            argv,
            work,
            limits=LIMITS,
            abort=threading.Event(),
            sandbox=sandbox,
            descriptors=[descriptor],
        )
    finally:
        os.close(descriptor)


@pytest.fixture(scope="module")
def usual(
    ffmpeg: FFmpeg, video: bytes, cage: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> frozenset[str]:
    """What ffmpeg opens for an innocent file."""
    folder = tmp_path_factory.mktemp("usual")
    file = folder / "video.mp4"
    file.write_bytes(video)
    opened: set[str] = set()
    spawner = TracedSpawner(folder)
    with spawner:
        for sandbox in (cage, Sandbox()):
            encode(file, folder / "work", spawner, ffmpeg, sandbox)
            (seen,) = spawner.seen(ffmpeg.path.name)
            assert seen.network == ()
            opened |= seen.opened
    assert "out.mp4" in opened
    return frozenset(opened)


@pytest.mark.parametrize("hostile", FILES, ids=lambda hostile: hostile.name)
def test_ffmpeg_opens_nothing_but_what_it_always_opens(
    hostile: HostileFile,
    bait: Bait,
    traced: TracedSpawner,
    ffmpeg: FFmpeg,
    cage: Sandbox,
    usual: frozenset[str],
    listener: Listener,
    tmp_path: Path,
) -> None:
    file = tmp_path / "films" / "innocent.mp4"
    file.write_bytes(hostile.content(bait))
    for sandbox in (cage, Sandbox()):
        encode(file, tmp_path / "work", traced, ffmpeg, sandbox)
        (seen,) = traced.seen(ffmpeg.path.name)
        assert seen.opened - usual == set()
        assert seen.network == ()
        assert seen.executed == ()
    assert listener.connections == []


@pytest.mark.parametrize("hostile", FILES, ids=lambda hostile: hostile.name)
def test_the_job_fails_by_what_its_input_is_or_encodes_that_file_alone(
    hostile: HostileFile,
    bait: Bait,
    traced: TracedSpawner,
    toolbox: Toolbox,
    listener: Listener,
    tmp_path: Path,
) -> None:
    (tmp_path / "films" / "innocent.mp4").write_bytes(hostile.content(bait))
    report = run("innocent.mp4", tmp_path, traced, toolbox, Sandbox())
    if hostile.harmless:
        assert report.error is None
    else:
        assert report.error is not None
        assert report.error.code == "input_invalid", report.error.message
        assert "canary" not in report.error.message
        assert not (tmp_path / "work" / JOB).exists()
    for seen in traced.seen("python"):
        assert not any("canary" in path or "films" in path for path in seen.opened)
        assert seen.network == ()
    assert listener.connections == []


@pytest.mark.parametrize("hostile", [file for file in FILES if file.live], ids=lambda hostile: hostile.name)
def test_an_ffmpeg_without_our_options_would_have_reached_it(
    hostile: HostileFile, bait: Bait, traced: TracedSpawner, ffmpeg: FFmpeg, tmp_path: Path
) -> None:
    file = tmp_path / "films" / "innocent.mp4"
    file.write_bytes(hostile.content(bait))
    options = ["-protocol_whitelist", "file,http,tcp"]
    if hostile.name.startswith("HLS"):  # its demuxer has become careful, and looks at names
        options += ["-f", "hls", "-allowed_extensions", "ALL", "-extension_picky", "0"]
    if hostile.name.startswith("mov"):
        options += ["-enable_drefs", "1", "-use_absolute_path", "1"]
    with traced.spawn(
        [str(ffmpeg.path), "-nostdin", *options, "-i", str(file), "-f", "null", "-"], tmp_path
    ) as child:
        child.communicate(timeout=30)
    (seen,) = traced.seen(ffmpeg.path.name)
    assert any(path.endswith("canary.mp4") for path in seen.opened) or seen.network != ()


@pytest.mark.parametrize(
    "name", ["-i.mp4", "img%03d.mp4", "concat:a|b.mp4", "*.mp4", "$(id);.mp4", "\u202egpj.4pm"]
)
def test_a_hostile_name_is_just_a_name(
    name: str,
    bait: Bait,
    traced: TracedSpawner,
    toolbox: Toolbox,
    ffmpeg: FFmpeg,
    cage: Sandbox,
    tmp_path: Path,
) -> None:
    (tmp_path / "films" / name).write_bytes(bait.video)
    report = run(name, tmp_path, traced, toolbox, cage)
    assert report.error is None
    assert report.metrics["frames"] == 25
    (seen,) = traced.seen(ffmpeg.path.name)
    assert not any(name in path or "films" in path for path in seen.opened)


def test_attachments_stay_in_the_file(
    bait: Bait, traced: TracedSpawner, toolbox: Toolbox, ffmpeg: FFmpeg, tmp_path: Path
) -> None:
    font, film = tmp_path / "..ttf", tmp_path / "films" / "film.mkv"
    font.write_bytes(b"no font")
    attach = [
        "-attach",
        str(font),
        "-metadata:s:t",
        "mimetype=font/ttf",
        "-metadata:s:t",
        "filename=../../canary.mp4",
    ]
    subprocess.run([ffmpeg.path, "-v", "error", "-i", bait.canary, *attach, "-c", "copy", film], check=True)
    report = run("film.mkv", tmp_path, traced, toolbox, Sandbox())
    assert report.error is None
    assert [file.name for file in (tmp_path / "work" / JOB).iterdir()] == ["480p-h264.mp4"]
    assert bait.canary.read_bytes() == bait.video


def test_an_older_ffmpeg_without_fd_is_held_to_its_demuxers(
    bait: Bait, traced: TracedSpawner, ffmpeg: FFmpeg, tmp_path: Path
) -> None:
    file = tmp_path / "films" / "innocent.mp4"
    older = FFmpeg(ffmpeg.path, "5.1.6-0+deb12u1")
    for hostile in FILES:
        file.write_bytes(hostile.content(bait))
        encode(file, tmp_path / "work", traced, older, Sandbox())
        (seen,) = traced.seen(ffmpeg.path.name)
        assert not any("canary" in path for path in seen.opened), hostile.name
        assert seen.network == (), hostile.name
