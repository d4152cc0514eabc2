"""A job is encoded by the hardware that passed its trial; an ffmpeg that plays one stands in for a GPU."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from agent.ffmpeg.discover import Toolbox, discover
from agent.ffmpeg.spawner import Spawner
from agent.runner import run_job
from agent.sandbox import Sandbox
from agent.task import Assignment
from common.model import JobStatus, Report, Scalar

# It lists NVENC and QSV for H.264. NVENC "works": libx264 does it, and what only NVENC knows is left out.
STAND_IN = """\
import os, sys
argv, real = sys.argv[1:], {real!r}
if "-encoders" in argv:
    print(" V....D h264_nvenc  x\\n V..... h264_qsv  x\\n V..... libx264  x")
    sys.exit()
if "h264_qsv" in argv:
    print("[error] Error initializing an MFX session: unsupported (-3)", file=sys.stderr)
    sys.exit(187)
if "h264_nvenc" in argv:
    open({seen!r}, "a").write(" ".join(argv) + "\\n")
    place = argv.index("h264_nvenc") + 1
    assert argv[place:place + 6] == ["-preset", "p4", "-tune", "hq", "-rc", "vbr"], argv
    argv[place - 1:place + 6] = ["libx264", "-preset", "ultrafast"]
os.execv(real, [real, *argv])
"""


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """The command lines that the hardware got."""
    return tmp_path / "seen"


@pytest.fixture
def gpu(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path, seen: Path, monkeypatch: pytest.MonkeyPatch
) -> Toolbox:
    """This machine, with a GPU."""
    real = toolbox.ffmpeg_for("libx264")
    assert real is not None
    script = tmp_path / "ffmpeg"
    script.write_text(f"#!{sys.executable} -S\n" + STAND_IN.format(real=str(real.path), seen=str(seen)))
    script.chmod(0o755)
    monkeypatch.setattr("agent.ffmpeg.discover.candidates", lambda _extra: [script])
    return discover(spawner)


class Watched(Sandbox):
    """No sandbox, but it keeps which encoders were to see the GPUs."""

    shown: ClassVar[list[tuple[str, bool]]] = []

    def wrap(
        self,
        argv: Sequence[str],
        directory: Path | None,
        readable: Sequence[Path] = (),
        *,
        devices: bool = False,
        network: bool = False,
    ) -> list[str]:
        if "-c:v" in argv:
            self.shown.append((argv[argv.index("-c:v") + 1], devices))
        return super().wrap(argv, directory, readable, devices=devices, network=network)


def run(
    toolbox: Toolbox, spawner: Spawner, tmp_path: Path, sandbox: Sandbox | None = None, **parameters: Scalar
) -> Report:
    assignment = Assignment("job-1", "480p-h264", {"duration": 0.2, **parameters}, "lease-1", 1)
    work = tmp_path / "work"
    work.mkdir()
    report = run_job(
        assignment,
        "node-1",
        toolbox,
        spawner,
        work,
        lambda *_: None,
        threading.Event(),
        sandbox=sandbox or Sandbox(),
    )
    assert report is not None
    return report


def test_only_hardware_that_passed_its_trial_is_offered_and_the_reason_of_the_other_is_kept(
    gpu: Toolbox,
) -> None:
    assert gpu.encoders == ("h264_nvenc", "libx264")
    assert "MFX session" in gpu.failed["h264_qsv"]


def test_auto_encodes_with_what_the_node_has_and_says_so(
    gpu: Toolbox, spawner: Spawner, tmp_path: Path, seen: Path
) -> None:
    report = run(gpu, spawner, tmp_path, hwaccel="auto")
    assert report.status is JobStatus.COMPLETED, report.error
    assert (report.metrics["encoder"], report.metrics["preset"]) == ("h264_nvenc", "p4")
    assert "h264_nvenc" in str(report.metrics["command"])
    trial, encode = seen.read_text().splitlines()
    assert "-b:v 500000" in trial
    assert "-b:v 1200000" in encode


def test_without_being_asked_for_the_gpu_is_left_alone(
    gpu: Toolbox, spawner: Spawner, tmp_path: Path
) -> None:
    report = run(gpu, spawner, tmp_path)
    assert (report.metrics["encoder"], report.metrics["preset"]) == ("libx264", "veryfast")


def test_hardware_that_fails_here_fails_the_job_with_its_reason(
    gpu: Toolbox, spawner: Spawner, tmp_path: Path
) -> None:
    report = run(gpu, spawner, tmp_path, hwaccel="qsv")
    assert report.error is not None
    assert report.error.code == "encoder_missing"
    assert report.error.message.startswith("this node cannot use h264_qsv: ")
    assert "MFX session" in report.error.message


@pytest.mark.parametrize(("hwaccel", "shown"), [("auto", ("h264_nvenc", True)), ("none", ("libx264", False))])
def test_the_sandbox_shows_the_gpus_to_hardware_and_to_nothing_else(
    gpu: Toolbox, spawner: Spawner, tmp_path: Path, hwaccel: str, shown: tuple[str, bool]
) -> None:
    Watched.shown.clear()
    assert run(gpu, spawner, tmp_path, Watched(), hwaccel=hwaccel).status is JobStatus.COMPLETED
    assert Watched.shown == [shown]
