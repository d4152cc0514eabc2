"""A program that takes more than its limits allow is ended, with the sandbox and without, and says which."""

from __future__ import annotations

import re
import resource
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from agent.accept import judge
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.limits import ALLOCATED, Limits, exceeded
from agent.ffmpeg.spawner import Spawner
from agent.runner import run_job
from agent.sandbox import Sandbox
from agent.task import Assignment
from tests.agent.caged import python

MIB = 1024**2
WAIT = Limits(first=60, stall=60, last=60, total=60)


def test_one_that_fills_the_memory_is_ended(spawner: Spawner, either: Sandbox, tmp_path: Path) -> None:
    body = "kept = []\nwhile True: kept.append(b'x' * 10_000_000); time.sleep(0.02)"
    ended = python(spawner, either, tmp_path, body, replace(WAIT, memory=400 * MIB))
    assert ended.why == "memory_limit"
    assert ended.peak_memory_bytes is not None
    assert 400 * MIB < ended.peak_memory_bytes < 600 * MIB
    failure = judge(ended)
    assert failure is not None
    assert failure.code == "memory_limit"


def test_memory_that_it_shares_counts_too(spawner: Spawner, either: Sandbox, tmp_path: Path) -> None:
    body = "import mmap\nkept = mmap.mmap(-1, 700_000_000)\n"
    body += "part = b'x' * 1_000_000\nfor _ in range(700): kept.write(part); time.sleep(.001)\ntime.sleep(60)"
    ended = python(spawner, either, tmp_path, body, replace(WAIT, memory=400 * MIB))
    assert ended.why == "memory_limit"


def test_what_is_more_than_it_can_ever_get_is_refused_at_once(
    spawner: Spawner, either: Sandbox, tmp_path: Path
) -> None:
    body = f"bytearray({ALLOCATED * 400 * MIB})"
    ended = python(spawner, either, tmp_path, body, replace(WAIT, memory=400 * MIB))
    assert (ended.why, ended.returncode) == ("memory_limit", 1)


def test_one_that_uses_too_much_cpu_time_is_ended(spawner: Spawner, either: Sandbox, tmp_path: Path) -> None:
    ended = python(spawner, either, tmp_path, "while True: pass", replace(WAIT, cpu_seconds=1))
    assert ended.why == "cpu_limit"
    assert ended.cpu_seconds < 8
    failure = judge(ended)
    assert failure is not None
    assert failure.code == "cpu_limit"
    assert re.search(r"after \d+ s of CPU time", failure.message)


def test_sleeping_uses_no_cpu_time(spawner: Spawner, either: Sandbox, tmp_path: Path) -> None:
    ended = python(spawner, either, tmp_path, "time.sleep(1.5)", replace(WAIT, cpu_seconds=1))
    assert (ended.why, ended.returncode) == (None, 0)


def test_one_that_writes_too_much_is_ended(spawner: Spawner, either: Sandbox, tmp_path: Path) -> None:
    body = "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\nfile = open('big', 'wb', buffering=0)\n"
    body += "while True: file.write(bytes(100_000))"
    ended = python(spawner, either, tmp_path, body, replace(WAIT, output_bytes=MIB))
    assert ended.why == "output_too_large"
    assert (tmp_path / "big").stat().st_size <= MIB


def test_an_ffmpeg_that_writes_too_much_fails_its_job(
    spawner: Spawner, either: Sandbox, toolbox: Toolbox, tmp_path: Path
) -> None:
    report = run_job(
        Assignment("job-1", "480p-h264", {"duration": 20, "preset": "ultrafast", "crf": 0}, "lease-1", 1),
        "node-1",
        toolbox,
        spawner,
        tmp_path,
        lambda _progress, _lines: None,
        threading.Event(),
        sandbox=either,
        limits=lambda _: replace(WAIT, output_bytes=MIB),
    )
    assert report is not None
    assert report.error is not None
    assert report.error.code == "output_too_large"
    assert not (tmp_path / "job-1").exists()


def test_it_has_few_files_leaves_no_core_and_cannot_raise_its_limits(
    spawner: Spawner, either: Sandbox, tmp_path: Path
) -> None:
    names = ("RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_DATA", "RLIMIT_CPU", "RLIMIT_FSIZE")
    body = f"import resource\nfor name in {names}: say(*resource.getrlimit(getattr(resource, name)))"
    ended = python(
        spawner, either, tmp_path, body, replace(WAIT, memory=500 * MIB, cpu_seconds=7, output_bytes=MIB)
    )
    most = ALLOCATED * 500 * MIB
    assert ended.log == ("256 256", "0 0", f"{most} {most}", "7 12", f"{MIB} {MIB}")
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] != 256  # the agent keeps its own


@pytest.mark.parametrize(
    ("code", "cpu", "log", "why"),
    [
        (0, 100.0, ["File too large"], None),
        (1, 9.9, [], None),
        (-24, 9.9, [], "cpu_limit"),  # the kernel's ticks and its sums differ a little
        (-9, 10.0, [], "cpu_limit"),
        (255, 10.1, ["Exiting normally, received signal 24."], "cpu_limit"),
        (-25, 1.0, [], "output_too_large"),
        (229, 1.0, ["[out#0/mp4] Error writing trailer: File too large"], "output_too_large"),
        (244, 1.0, ["[libx264] malloc of size 1 failed", "Cannot allocate memory"], "memory_limit"),
        (-6, 1.0, ["terminate called after throwing an instance of 'std::bad_alloc'"], "memory_limit"),
        (-11, 1.0, ["Invalid data found"], None),
    ],
)
def test_which_limit_ended_it_is_read_from_its_end(
    code: int, cpu: float, log: list[str], why: str | None
) -> None:
    assert exceeded(Limits(cpu_seconds=10), code, cpu, log) == why
