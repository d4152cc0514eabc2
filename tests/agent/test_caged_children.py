"""Whoever watches a program notices no difference when it runs in the sandbox: ends, signals and costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.ffmpeg.child import told_by_monitor
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.limits import Limits
from agent.ffmpeg.process import Ended
from agent.ffmpeg.spawner import Spawner
from agent.runner import run_job
from agent.sandbox import Sandbox
from agent.task import Assignment
from common.settings import CODECS
from tests.agent.caged import pids, python
from tests.agent.conftest import is_gone, wait_until

FOREVER = "while True: time.sleep(1)"
FRAMES = "for n in range(1, {0}): print(f'frame={{n}}\\nprogress=continue', flush=True); time.sleep(.05)"
QUICK = Limits(first=20, stall=0.4, last=0.4, total=60, grace=0.4)


class Background:
    """A program that runs in a thread, and is known by a mark."""

    def __init__(self, spawner: Spawner, sandbox: Sandbox, cwd: Path, body: str) -> None:
        self.mark = f"mark-{cwd.name}-{time.monotonic_ns()}"
        self.abort, self.may_work = threading.Event(), threading.Event()
        self.may_work.set()
        self.ended: Ended | None = None

        def work() -> None:
            self.ended = python(
                *(spawner, sandbox, cwd, f"# {self.mark}\n{body}"),
                abort=self.abort,
                may_work=self.may_work.is_set,
            )

        self._thread = threading.Thread(target=work)
        self._thread.start()

    def pid(self) -> int:
        assert wait_until(lambda: pids(self.mark) != [])
        return pids(self.mark)[0]

    def end(self) -> Ended:
        self._thread.join(30)
        assert self.ended is not None
        return self.ended


@pytest.mark.parametrize("code", [0, 1, 3, 127, 128, 234, 255])
def test_its_exit_code_is_told(spawner: Spawner, sandbox: Sandbox, tmp_path: Path, code: int) -> None:
    ended = python(spawner, sandbox, tmp_path, f"sys.exit({code})")
    assert (ended.returncode, ended.signal, ended.why) == (code, None, None)


def test_a_crash_is_told_by_its_signal(spawner: Spawner, sandbox: Sandbox, tmp_path: Path) -> None:
    ended = python(spawner, sandbox, tmp_path, "import ctypes; ctypes.string_at(0)")
    assert (ended.returncode, ended.signal) == (None, signal.SIGSEGV)


def test_one_that_somebody_kills_is_told_by_its_signal(
    spawner: Spawner, sandbox: Sandbox, tmp_path: Path
) -> None:
    child = Background(spawner, sandbox, tmp_path, FOREVER)
    os.kill(child.pid(), signal.SIGKILL)
    assert child.end().signal == signal.SIGKILL


@pytest.mark.parametrize(
    ("said", "meant"), [(0, 0), (1, 1), (255, 255), (228, 228), (171, 171), (137, -9), (139, -11), (-9, -9)]
)
def test_only_signals_that_can_end_it_are_read_from_what_the_monitor_says(said: int, meant: int) -> None:
    assert told_by_monitor(said) == meant


def test_it_is_asked_to_end_before_it_is_killed(spawner: Spawner, sandbox: Sandbox, tmp_path: Path) -> None:
    body = "signal.signal(signal.SIGTERM, lambda *_: (say('asked'), sys.exit(255)))\n"
    body += f"{FRAMES.format(3)}\n{FOREVER}"
    ended = python(spawner, sandbox, tmp_path, body, QUICK)
    assert (ended.why, ended.returncode, ended.log) == ("stalled", 255, ("asked",))


def test_one_that_does_not_listen_is_killed(spawner: Spawner, sandbox: Sandbox, tmp_path: Path) -> None:
    ended = python(spawner, sandbox, tmp_path, f"{FRAMES.format(3)}\n{FOREVER}", QUICK)
    assert (ended.why, ended.signal) == ("stalled", signal.SIGKILL)


def test_it_is_suspended_and_goes_on(spawner: Spawner, sandbox: Sandbox, tmp_path: Path) -> None:
    child = Background(spawner, sandbox, tmp_path, FRAMES.format(20))
    stat = Path(f"/proc/{child.pid()}/stat")
    child.may_work.clear()
    assert wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
    child.may_work.set()
    assert child.end().returncode == 0


def test_an_abort_ends_it_with_its_children(spawner: Spawner, sandbox: Sandbox, tmp_path: Path) -> None:
    child = Background(
        spawner, sandbox, tmp_path, f"os.fork()\nos.setsid() if os.getpid() > 1 else 0\n{FOREVER}"
    )
    assert wait_until(lambda: len(pids(child.mark)) == 2)
    both = pids(child.mark)
    child.abort.set()
    assert child.end().why == "aborted"
    assert wait_until(lambda: all(is_gone(pid) for pid in both))


def test_its_cpu_time_and_its_memory_are_counted(spawner: Spawner, sandbox: Sandbox, tmp_path: Path) -> None:
    body = "x = bytearray(150_000_000)\nwhile time.process_time() < 1: pass"
    ended = python(spawner, sandbox, tmp_path, body)
    assert ended.cpu_seconds == pytest.approx(1, abs=0.15)
    assert ended.peak_memory_bytes is not None
    assert 150_000_000 < ended.peak_memory_bytes < 200_000_000


@pytest.mark.parametrize("codec", CODECS)
def test_a_job_of_each_codec_is_done_and_accounted_for(
    spawner: Spawner, sandbox: Sandbox, toolbox: Toolbox, tmp_path: Path, codec: str
) -> None:
    report = run_job(
        Assignment("job-1", "480p-h264", {"codec": codec, "duration": 1}, "lease-1", 1),
        *("node-1", toolbox, spawner, tmp_path),
        lambda _progress, _lines: None,
        threading.Event(),
        sandbox=sandbox,
    )
    assert report is not None
    assert report.error is None
    assert (tmp_path / "job-1" / f"480p-h264.{CODECS[codec].container}").stat().st_size > 0
    cpu, peak = report.metrics["cpu_seconds"], report.metrics["peak_memory_bytes"]
    assert isinstance(cpu, float)
    assert cpu > 0.05
    assert isinstance(peak, int)
    assert peak > 30_000_000


AGENT = """
import sys, threading
from pathlib import Path
from agent.ffmpeg.spawner import Spawner
from agent.sandbox import detect
from tests.agent.caged import BASE, argv
spawner = Spawner()
sandbox = detect(spawner, "required")
if len(sys.argv) > 2:
    import os
    threading.Timer(float(sys.argv[2]), lambda: os.kill(os.getpid(), 9)).start()
while True:
    spawner.spawn(sandbox.wrap(argv(sys.argv[1]), Path.cwd(), [BASE]), Path.cwd(), greets=True)
    if len(sys.argv) == 2:
        print("started", flush=True)
        threading.Event().wait()
"""


@pytest.mark.usefixtures("sandbox")  # skips where there is none
def test_it_does_not_outlive_its_agent(tmp_path: Path) -> None:
    mark = f"mark-{tmp_path.name}-{time.monotonic_ns()}"
    agent = subprocess.Popen(
        [sys.executable, "-c", AGENT, f"# {mark}\n{FOREVER}"], stdout=subprocess.PIPE, text=True
    )
    assert agent.stdout is not None
    with agent.stdout:
        assert agent.stdout.readline() == "started\n"
        assert wait_until(lambda: pids(mark) != [])
        agent.kill()
        agent.wait()
    assert wait_until(lambda: pids(mark, monitors=True) == [], deadline=2)


@pytest.mark.usefixtures("sandbox")
def test_nothing_is_left_of_an_agent_that_dies_while_it_starts_one(tmp_path: Path) -> None:
    mark = f"mark-{tmp_path.name}-{time.monotonic_ns()}"
    for n in range(24):
        body = f"# {mark}\n{FOREVER}"
        agent = subprocess.run([sys.executable, "-c", AGENT, body, str(n * 0.0005)], check=False)
        assert agent.returncode == -signal.SIGKILL
    assert wait_until(lambda: pids(mark, monitors=True) == [], deadline=2)


def test_it_does_not_begin_when_nobody_answers(spawner: Spawner, sandbox: Sandbox, tmp_path: Path) -> None:
    command = sandbox.wrap(["touch", "begun"], tmp_path)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (1, b"\n")
    assert not (tmp_path / "begun").exists()
    assert spawner.output(command, tmp_path, 20, greets=True) == ""
    assert (tmp_path / "begun").exists()
