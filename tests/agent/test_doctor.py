"""`agent --doctor` says whether this machine can be a worker, by trying what the agent will do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.doctor import disk, memory, of_sandbox, of_toolbox
from agent.ffmpeg.discover import FFmpeg, Toolbox
from agent.sandbox import Sandbox
from common.checkup import State
from tests.forked import program, run_forked
from tests.masters import ROOT
from tests.system.farm import one_encoder

_GIB = 1024**3


@pytest.mark.parametrize(("size", "state"), [(1 * _GIB, State.WARNING), (8 * _GIB, State.GOOD)])
def test_little_memory_is_a_warning(size: int, state: State) -> None:
    assert memory(size).state is state


@pytest.mark.parametrize(
    ("free", "state"), [(1 * _GIB, State.WARNING), (50 * _GIB, State.GOOD), (None, State.BAD)]
)
def test_little_room_for_outputs_is_a_warning(free: int | None, state: State) -> None:
    assert disk(Path("/w"), free).state is state


def test_a_machine_without_a_sandbox_is_a_warning_with_the_reason() -> None:
    found = of_sandbox(Sandbox(lack="bwrap was not found"))
    assert (found.state, "bwrap was not found" in found.said) == (State.WARNING, True)


def test_a_machine_without_an_encoder_can_be_no_worker() -> None:
    (found,) = of_toolbox(Toolbox(), None)
    assert (found.state, found.todo) == (State.BAD, "name one with --ffmpeg")


def test_an_encoder_that_failed_its_trial_has_its_reason() -> None:
    toolbox = Toolbox({"libx264": FFmpeg(Path("/usr/bin/ffmpeg"), "9.0")}, {"h264_nvenc": "no libcuda"})
    lines = [finding.lines() for finding in of_toolbox(toolbox, None)]
    assert lines == [
        "✓ ffmpeg: version 9.0",
        "✓ encoders: libx264",
        "- h264_nvenc: does not work here: no libcuda",
    ]


def _doctor(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from agent.cli import main; main()", "--doctor", *arguments],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_it_looks_at_this_very_machine_and_makes_nothing(tmp_path: Path) -> None:
    done = _doctor(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ encoders: " in done.stdout
    assert "libx264" in done.stdout
    assert list(tmp_path.iterdir()) == []


def _forked(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same, without the start of a Python."""
    return run_forked(program("agent", arguments), {"HOME": str(tmp_path), **environment})


def test_programs_get_what_it_finds_as_json_as_from_the_operators_doctor(tmp_path: Path) -> None:
    done = _forked(tmp_path, "--doctor", "-o", "json", **one_encoder(tmp_path / "ffmpeg"))
    assert done.returncode == 0, done.stdout + done.stderr
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert {"memory", "disk", "sandbox", "ffmpeg", "encoders"} <= found.keys()
    assert "libx264" in found["encoders"]["said"]
    assert all(set(each) == {"name", "state", "said", "todo"} for each in found.values())


def test_a_format_without_the_doctor_is_wrong_usage(tmp_path: Path) -> None:
    done = _forked(tmp_path, "-o", "json")
    assert (done.returncode, "give --doctor too" in done.stderr) == (2, True)


def test_a_worker_that_cannot_be_ends_with_1(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = _forked(tmp_path, "--doctor", PATH=str(empty))
    assert (done.returncode, "✗ programs: " in done.stdout) == (1, True)
