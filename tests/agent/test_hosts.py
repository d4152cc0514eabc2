"""A fork of a host is what a process of its own would be: to those who wait for it, and to itself."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from agent.apart import MEMORY, limits_of
from agent.ffmpeg.process import Ended
from agent.ffmpeg.spawner import Spawner
from agent.hosts.inside import NUMBERS, PRELOADED
from agent.hosts.pool import Hosts
from agent.sandbox import Sandbox
from tests.agent.conftest import is_gone, wait_until
from tests.agent.hosted import WHICH, Hosted

MIB = 1024**2
FOREVER = "while True: time.sleep(1)"
LIMITS = ("RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_DATA", "RLIMIT_CPU", "RLIMIT_FSIZE")


@pytest.fixture
def hosted(spawner: Spawner, sandbox: Sandbox, hosts: Hosts) -> Hosted:
    return Hosted(spawner, sandbox, hosts)


def forks() -> list[psutil.Process]:
    """What hosts have made: the children of what is alone in a sandbox, which a monitor has made."""
    monitors = psutil.Process().children()
    return [fork for monitor in monitors for host in monitor.children() for fork in host.children()]


@contextmanager
def in_background(hosted: Hosted, body: str) -> Iterator[tuple[int, threading.Event, threading.Event]]:
    """The program's pid, and what aborts it and lets it work; in the block it runs."""
    abort, may_work = threading.Event(), threading.Event()
    may_work.set()
    reader, writer = os.pipe()
    ended: list[Ended] = []

    def work() -> None:
        said = f"os.write({writer}, b'.')\n{body}"
        ended.append(hosted.run(said, descriptors=[writer], abort=abort, may_work=may_work.is_set))

    before = {child.pid for child in forks()}
    thread = threading.Thread(target=work)
    thread.start()
    assert os.read(reader, 1) == b"."
    (pid,) = {child.pid for child in forks() if child.pid not in before}
    try:
        yield pid, abort, may_work
    finally:
        abort.set()
        thread.join(30)
        os.close(reader)
        os.close(writer)
    assert ended[0].why in ("aborted", None), ended


def test_the_forks_of_one_host_know_nothing_of_each_other(hosted: Hosted) -> None:
    first = hosted.says(f"{WHICH}\nsay(hasattr(sys, 'mark'))\nsys.mark = 1")
    assert hosted.says(f"{WHICH}\nsay(hasattr(sys, 'mark'))\nsys.mark = 1") == first == (first[0], "False")


def test_what_reads_media_is_loaded_already(hosted: Hosted) -> None:
    assert hosted.says(f"say(all(name in sys.modules for name in {PRELOADED}))") == ("True",)


def test_what_is_loaded_starts_no_threads() -> None:
    body = f"import importlib, os\nfor name in {PRELOADED}: importlib.import_module(name)\n"
    body += "print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run([sys.executable, "-c", body], capture_output=True, check=True, text=True)
    assert done.stdout == "1\n"


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_its_exit_code_is_told(hosted: Hosted, code: int) -> None:
    ended = hosted.run(f"say('so'); sys.exit({code})")
    assert (ended.returncode, ended.signal, ended.why, ended.log) == (code, None, None, ("so",))


def test_a_mistake_is_told_as_by_any_python(hosted: Hosted) -> None:
    ended = hosted.run("raise ValueError('so')")
    assert (ended.returncode, ended.log[-1]) == (1, "ValueError: so")


def test_a_crash_is_told_by_its_signal(hosted: Hosted) -> None:
    ended = hosted.run("ctypes.string_at(0)")
    assert (ended.returncode, ended.signal, ended.why) == (None, signal.SIGSEGV, None)


def test_its_cpu_time_and_its_memory_are_its_own(hosted: Hosted) -> None:
    body = "x = bytearray(150_000_000)\nwhile time.process_time() < 1: pass"
    hosted.which()
    much, little = hosted.run(body), hosted.run("pass")
    assert much.cpu_seconds == pytest.approx(1, abs=0.15)
    assert much.peak_memory_bytes is not None
    assert little.peak_memory_bytes is not None
    assert 150_000_000 < much.peak_memory_bytes < 230_000_000
    assert little.peak_memory_bytes < 100_000_000
    assert little.cpu_seconds < 0.5


def test_the_first_one_pays_for_the_start_of_its_host(hosted: Hosted) -> None:
    first, second = hosted.run("pass"), hosted.run("pass")
    assert first.cpu_seconds > 2 * second.cpu_seconds > 0


def test_it_has_the_descriptors_that_it_is_given_under_their_numbers_and_no_others(
    hosted: Hosted, tmp_path: Path
) -> None:
    (tmp_path / "one").write_bytes(b"one")
    (tmp_path / "two").write_bytes(b"two")
    files = [os.open(tmp_path / name, os.O_RDONLY) for name in ("one", "two")]
    body = f"say([os.read(n, 9) for n in {files}])\nopened = []\n"
    body += "for n in range(256):\n    try: opened.append(os.fstat(n) and n)\n    except OSError: pass\n"
    body += "say(opened, os.fstat(0).st_rdev == os.fstat(1).st_rdev == os.stat('/dev/null').st_rdev)"
    try:
        for _ in range(2):
            for file in files:
                os.lseek(file, 0, os.SEEK_SET)
            assert hosted.says(body, descriptors=files) == (
                "[b'one', b'two']",
                f"{sorted([0, 1, 2, *files])} True",
            )
    finally:
        for file in files:
            os.close(file)


@pytest.mark.parametrize("numbers", [(3, 4, 5), (5, 4, 3), (4, 5, 3), (7, 127, 3)])
def test_numbers_that_the_host_uses_itself_are_no_obstacle(numbers: tuple[int, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RECEIVED, *map(str, numbers)], capture_output=True, text=True, check=False
    )
    assert done.stderr == f"{list(numbers)} {sorted([0, 1, 2, *numbers])}\n"


RECEIVED = """
import os, sys
from agent.hosts.inside import _arrange
numbers = list(map(int, sys.argv[1:]))
os.closerange(3, 256)
pipes = [os.pipe() for _ in numbers]
for number, (_, writer) in zip(numbers, pipes):
    os.write(writer, str(number).encode())
for target, (reader, _) in zip((203, 204, 205), pipes): os.dup2(reader, target)
os.closerange(3, 200)
for n in (3, 4, 5): os.dup2(200 + n, n)  # what a host receives has the lowest numbers that are free
os.closerange(200, 256)
_arrange([os.dup(2), 3, 4, 5], numbers)
def is_open(number):
    try: return bool(os.fstat(number))
    except OSError: return False
print([int(os.read(n, 9)) for n in numbers], [n for n in range(256) if is_open(n)], file=sys.stderr)
"""


def test_it_is_held_to_the_limits_of_a_process_of_its_own(hosted: Hosted) -> None:
    body = f"for name in {LIMITS}: say(name, *resource.getrlimit(getattr(resource, name)))"
    limits = replace(limits_of(10**9, output=MIB), memory=500 * MIB)
    assert hosted.says(body, limits=limits) == hosted.says(body, limits=limits, family=None)
    assert hosted.hosts.waiting() == ["film"]


def test_it_cannot_raise_them(hosted: Hosted) -> None:
    body = "attempt(lambda: resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY,) * 2))"
    ended = hosted.run(f"try: {body}\nexcept ValueError: say('refused')")
    assert ended.log == ("refused",)


@pytest.mark.parametrize(
    ("body", "limits", "why"),
    [
        ("bytearray(900_000_000)", replace(limits_of(0), memory=400 * MIB), "memory_limit"),
        (
            "x = []\nwhile True: x.append(b'x' * 10_000_000); time.sleep(.02)",
            replace(limits_of(0), memory=400 * MIB),
            "memory_limit",
        ),
        ("while True: pass", replace(limits_of(0), cpu_seconds=1), "cpu_limit"),
        (FOREVER, replace(limits_of(0), first=0.5), "stalled"),
        (FOREVER, replace(limits_of(0), total=0.5), "time_limit"),
    ],
    ids=["allocates", "fills", "computes", "is silent", "takes long"],
)
def test_one_that_takes_too_much_is_ended_with_its_host(
    hosted: Hosted, body: str, limits: object, why: str
) -> None:
    before = hosted.which()
    assert hosted.run(body, limits=limits).why == why
    assert hosted.hosts.waiting() == []
    assert hosted.which() != before


def test_one_that_writes_too_much_is_ended_with_its_host(hosted: Hosted, tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        body = "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        body += f"while True: os.write({file.fileno()}, bytes(100_000))"
        ended = hosted.run(body, descriptors=[file.fileno()], limits=limits_of(0, output=MIB))
    assert ended.why == "output_too_large"
    assert (tmp_path / "big").stat().st_size <= MIB
    assert hosted.hosts.waiting() == []


def test_an_abort_ends_it_with_its_children_and_its_host(hosted: Hosted) -> None:
    body = f"os.fork()\nos.setsid() if os.getpid() > 2 else 0\n{FOREVER}"
    with in_background(hosted, body) as (pid, abort, _):
        assert wait_until(lambda: psutil.Process(pid).children() != [])
        all_ = [pid, *(child.pid for child in psutil.Process(pid).children())]
        all_.append(psutil.Process(pid).ppid())
        abort.set()
        assert wait_until(lambda: all(is_gone(each) for each in all_))
    assert hosted.hosts.waiting() == []


def test_an_abort_before_it_began_is_one_too(hosted: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    abort = threading.Event()
    abort.set()
    with caplog.at_level(logging.WARNING):
        assert hosted.run(FOREVER, abort=abort).why == "aborted"
    assert caplog.records == []


def test_it_is_suspended_and_goes_on(hosted: Hosted) -> None:
    hosted.which()
    with in_background(hosted, "for _ in range(50): time.sleep(0.05)") as (pid, _, may_work):
        may_work.clear()
        assert wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
        may_work.set()
        assert wait_until(lambda: hosted.hosts.waiting() == ["film"])
        assert is_gone(pid)


def test_one_that_ends_while_it_is_suspended_has_ended(
    hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.hosts.host._PATIENCE", 3600)
    before = threading.active_count()
    with in_background(hosted, FOREVER) as (pid, _, may_work):
        may_work.clear()
        assert wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: threading.active_count() == before)


def test_the_host_keeps_no_descriptor(hosted: Hosted) -> None:
    reader, writer = os.pipe2(os.O_NONBLOCK)
    hosted.says("pass", descriptors=[writer])
    assert hosted.hosts.waiting() == ["film"]
    os.close(writer)
    assert os.read(reader, 1) == b""  # nobody has the other end
    os.close(reader)


def test_it_sees_nothing_of_the_agents_environment(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_SECRET", "canary")
    body = "say(sorted(os.environ.items()))"
    assert hosted.says(body) == hosted.says(body, family=None)
    assert "canary" not in hosted.says(body)[0]


def test_what_it_is_told_may_be_long(hosted: Hosted) -> None:
    long = "x" * 1_000_000
    assert hosted.says("say(len(sys.argv[2]), sys.argv[1])", arguments=[long]) == ("1000000 1",)
    assert hosted.hosts.waiting() == ["film"]


def test_where_a_host_has_ended_it_is_a_process_of_its_own(
    hosted: Hosted, caplog: pytest.LogCaptureFixture
) -> None:
    before = {child.pid for child in psutil.Process().children()}
    hosted.which()
    (monitor,) = [child for child in psutil.Process().children() if child.pid not in before]
    os.kill(monitor.pid, signal.SIGKILL)
    assert wait_until(lambda: is_gone(monitor.pid))
    with caplog.at_level(logging.WARNING):
        assert hosted.says("say('done')") == ("done",)
    assert "as its host failed" in caplog.text
    assert hosted.hosts.waiting() == []


def test_so_it_is_where_there_is_no_whole_sandbox(spawner: Spawner, hosts: Hosts) -> None:
    assert Hosted(spawner, Sandbox(), hosts).says("say(os.getpid() > 2)") == ("True",)
    assert hosts.waiting() == []


def test_so_it_is_for_what_no_fork_can_have(hosted: Hosted) -> None:
    more = replace(limits_of(0), memory=2 * MEMORY)
    most = 2 * more.memory
    body = "say(resource.getrlimit(resource.RLIMIT_DATA)[0])"
    assert hosted.says(body, limits=more) == (str(most),)
    with open(os.devnull, "rb") as file:  # noqa: PTH123 - no path
        high = os.dup(file.fileno())
        os.dup2(high, NUMBERS)
        os.close(high)
        try:
            assert hosted.says(f"say(os.read({NUMBERS}, 1))", descriptors=[NUMBERS]) == ("b''",)
        finally:
            os.close(NUMBERS)
    assert hosted.hosts.waiting() == []
