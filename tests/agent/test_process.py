"""A child is watched, ended when it must be, and accounted for; its log never stops it."""

import re
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.ffmpeg.limits import Limits
from agent.ffmpeg.process import Ended, run
from agent.ffmpeg.spawner import Spawner, SpawnError
from common.model import Progress
from tests.agent.conftest import is_gone, wait_until

QUICK = Limits(first=0.4, stall=0.4, last=0.4, total=20, grace=0.4)
ONCE_IT_RUNS = Limits(first=20, stall=0.4, grace=0.4)
PATIENT = Limits(first=60, stall=60, last=60, total=60)
PROGRESS = "print('frame=1\\nprogress=continue', flush=True)\n"


def python(
    spawner: Spawner, cwd: Path, body: str, limits: Limits = PATIENT, abort: threading.Event | None = None
) -> Ended:
    argv = [sys.executable, "-S", "-c", f"import os, signal, sys, time\n{body}"]
    return run(spawner, argv, cwd, limits=limits, abort=abort or threading.Event())


def test_the_exit_code_the_log_and_the_cost_are_told(spawner: Spawner, tmp_path: Path) -> None:
    ended = python(
        spawner,
        tmp_path,
        "x = bytearray(150_000_000)\nwhile time.process_time() < 0.3: pass\n"
        "print('why', file=sys.stderr)\nsys.exit(3)",
    )
    assert (ended.returncode, ended.signal, ended.why, ended.log) == (3, None, None, ("why",))
    assert 0.3 <= ended.cpu_seconds <= 5
    assert ended.wall_seconds >= 0.3
    assert ended.peak_memory_bytes is not None
    assert ended.peak_memory_bytes > 150_000_000


def test_a_large_agent_does_not_count_as_the_childs_memory(spawner: Spawner, tmp_path: Path) -> None:
    ours = bytearray(200_000_000)
    ended = python(spawner, tmp_path, "while time.process_time() < 0.5: pass")
    assert len(ours) > 0
    assert ended.peak_memory_bytes is not None
    assert ended.peak_memory_bytes < 100_000_000


def test_a_child_without_progress_is_ended_as_stalled(spawner: Spawner, tmp_path: Path) -> None:
    ended = python(spawner, tmp_path, "while True: time.sleep(1)", QUICK)
    assert ended.why == "stalled"
    assert ended.signal == 15


def test_repeating_the_same_progress_is_no_progress(spawner: Spawner, tmp_path: Path) -> None:
    body = "while True: print('frame=7\\nout_time_us=7\\nprogress=continue', flush=True); time.sleep(.05)"
    assert python(spawner, tmp_path, body, QUICK).why == "stalled"


def test_a_child_that_makes_progress_is_left_alone(spawner: Spawner, tmp_path: Path) -> None:
    body = "for n in range(50): print(f'frame={n + 1}\\nprogress=continue', flush=True); time.sleep(.05)"
    slow = Limits(first=20, stall=2, last=20, total=60)
    ended = python(spawner, tmp_path, body, slow)
    assert (ended.why, ended.returncode) == (None, 0)


def test_a_child_that_ignores_term_is_killed(spawner: Spawner, tmp_path: Path) -> None:
    body = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + PROGRESS + "while True: time.sleep(1)"
    ended = python(spawner, tmp_path, body, ONCE_IT_RUNS)
    assert (ended.why, ended.signal) == ("stalled", 9)


def test_a_child_that_runs_too_long_is_ended_however_well_it_gets_on(
    spawner: Spawner, tmp_path: Path
) -> None:
    body = "n = 0\nwhile True: n += 1; print(f'frame={n}\\nprogress=continue', flush=True); time.sleep(.05)"
    ended = python(spawner, tmp_path, body, Limits(total=0.6, grace=0.4))
    assert ended.why == "time_limit"


def test_an_abort_from_another_thread_ends_the_child_promptly(spawner: Spawner, tmp_path: Path) -> None:
    abort = threading.Event()
    timer = threading.Timer(0.2, abort.set)
    timer.start()
    started = time.monotonic()
    ended = python(spawner, tmp_path, "while True: time.sleep(1)", abort=abort)
    assert ended.why == "aborted"
    assert time.monotonic() - started < 3
    timer.join()


def test_the_whole_process_group_is_ended(spawner: Spawner, tmp_path: Path) -> None:
    body = "print(os.fork(), file=sys.stderr, flush=True)\n" + PROGRESS + "while True: time.sleep(1)"
    ended = python(spawner, tmp_path, body, ONCE_IT_RUNS)
    pids = [int(line) for line in ended.log if re.fullmatch(r"\d+", line) and line != "0"]
    assert len(pids) == 1
    assert wait_until(lambda: is_gone(pids[0]))


def test_a_flood_on_stderr_passes_with_flat_memory(spawner: Spawner, tmp_path: Path) -> None:
    def memory(field: str) -> int:
        text = Path("/proc/self/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+)", text)[1]) * 1024  # type: ignore[index]  # it is always there

    python(spawner, tmp_path, "pass")
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    before = memory("VmRSS")
    body = "line = b'nothing but noise ' * 4 + b'\\n'\nblock = line * 1000\n"
    ended = python(
        spawner, tmp_path, body + "while os.write(2, block) and (n := globals().get('n', 0) + 1) < 2740: pass"
    )
    assert ended.returncode == 0
    assert ended.log[-1].startswith("nothing but noise")
    assert memory("VmHWM") - before < 20_000_000


def test_a_slow_reporter_does_not_hold_the_child_up(spawner: Spawner, tmp_path: Path) -> None:
    finished = tmp_path / "finished"
    body = (
        "sys.stderr.write('x' * 99 + '\\n'); sys.stderr.flush(); time.sleep(1.2)\n"
        "for _ in range(50): os.write(2, b'y' * 99_999 + b'\\n')\nopen('finished', 'w').close()"
    )
    seen: list[bool] = []

    def report(_progress: Progress, _lines: list[str]) -> None:
        seen.append(wait_until(finished.exists))

    argv = [sys.executable, "-S", "-c", f"import os, sys, time\n{body}"]
    run(spawner, argv, tmp_path, limits=PATIENT, abort=threading.Event(), on_progress=report)
    assert len(seen) >= 2
    assert all(seen)


def test_if_the_reporter_fails_the_child_is_ended_and_the_failure_is_told(
    spawner: Spawner, tmp_path: Path
) -> None:
    pids: list[int] = []

    def report(_progress: Progress, lines: list[str]) -> None:
        pids.append(int(lines[0]))
        raise LookupError("no such master")

    body = "import os, sys, time\nprint(os.getpid(), file=sys.stderr, flush=True)\nwhile True: time.sleep(1)"
    argv = [sys.executable, "-S", "-c", body]
    with pytest.raises(LookupError, match="no such master"):
        run(spawner, argv, tmp_path, limits=PATIENT, abort=threading.Event(), on_progress=report)
    assert is_gone(pids[0])


def test_the_child_sees_no_secret_of_the_agents_environment(
    spawner: Spawner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FFRTMP_TOKEN", "secret")
    ended = python(spawner, tmp_path, "print(sorted(os.environ), os.getcwd(), file=sys.stderr)")
    assert "FFRTMP_TOKEN" not in ended.log[0]
    assert str(tmp_path) in ended.log[0]


def test_a_closed_spawner_starts_nothing_and_has_ended_its_children(tmp_path: Path) -> None:
    spawner = Spawner()
    child = spawner.spawn([sys.executable, "-S", "-c", "import time\nwhile True: time.sleep(1)"], tmp_path)
    spawner.close()
    assert child.wait(20) == -9
    for pipe in (child.stdout, child.stderr):
        assert pipe is not None
        pipe.close()
    with pytest.raises(SpawnError, match="stopping"):
        spawner.spawn(["true"], tmp_path)
