"""Code that a file has brought into a fork of a host reaches neither the host nor who comes after it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from agent.ffmpeg.spawner import Spawner
from agent.hosts.pool import Hosts
from agent.sandbox import Sandbox
from tests.agent.conftest import is_gone, wait_until
from tests.agent.hosted import WHICH, Hosted

LIBC = "libc = ctypes.CDLL(None, use_errno=True)\n"
TOLD = "say(os.strerror(ctypes.get_errno()) if {0} < 0 else 'done')"
BUFFER = "buffer = ctypes.create_string_buffer(8)\n"
VECTORS = "class Vector(ctypes.Structure):\n"
VECTORS += "    _fields_ = [('base', ctypes.c_void_p), ('size', ctypes.c_size_t)]\n"
VECTORS += BUFFER + "here, there = Vector(ctypes.addressof(buffer), 8), Vector(id(sys), 8)\n"
VECTORS += "ways = (1, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)\n"
_PTRACE_ATTACH, _PTRACE_SEIZE = 16, 0x4206
_PIDFD_OPEN, _PIDFD_GETFD = 434, 438


@pytest.fixture
def hosted(spawner: Spawner, sandbox: Sandbox, hosts: Hosts) -> Hosted:
    return Hosted(spawner, sandbox, hosts)


@pytest.mark.parametrize(
    "body",
    [
        "attempt(lambda: open('/proc/1/mem', 'r+b'))",
        "attempt(lambda: [os.readlink(f'/proc/1/fd/{n}') for n in range(256)])",
        "attempt(lambda: os.open('/proc/1/fd/0', os.O_RDWR))",
        "attempt(lambda: open('/proc/1/environ').read())",
        "attempt(lambda: open('/proc/1/maps').read())",
        LIBC + TOLD.format(f"libc.ptrace({_PTRACE_ATTACH}, 1, None, None)"),
        LIBC + TOLD.format(f"libc.ptrace({_PTRACE_SEIZE}, 1, None, None)"),
        LIBC + VECTORS + TOLD.format("libc.process_vm_readv(*ways)"),
        LIBC + VECTORS + TOLD.format("libc.process_vm_writev(*ways)"),
        LIBC + TOLD.format(f"libc.syscall({_PIDFD_GETFD}, os.pidfd_open(1), 3, 0)"),
    ],
    ids=["memory", "files", "a file", "environment", "maps", "ptrace", "seize", "read", "write", "pidfd"],
)
def test_it_has_no_way_into_the_host(hosted: Hosted, body: str) -> None:
    """That the fork makes itself one that may be looked into does not help it: the host is none."""
    dumpable = "ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)\n"
    (said,) = hosted.says(dumpable + body)
    assert said in ("Permission denied", "Operation not permitted")


@pytest.mark.parametrize("more", [0, 300])
def test_it_has_no_way_to_the_agent_but_its_descriptors(hosted: Hosted, more: int) -> None:
    """Whatever number the host's own socket has."""
    others = [os.open(os.devnull, os.O_RDONLY) for _ in range(more)]
    body = (
        "found = []\nfor n in range(3, 1024):\n    try: found.append(os.fstat(n))\n    except OSError: pass\n"
    )
    try:
        assert hosted.says(body + "say(found)") == ("[]",)
    finally:
        for other in others:
            os.close(other)
    assert hosted.hosts.waiting() == ["film"]


def test_no_signal_of_its_own_ends_or_stops_the_host(hosted: Hosted) -> None:
    before = hosted.which()
    body = "for n in sorted(signal.valid_signals()): os.kill(1, n)\n"
    hosted.says(body)
    assert hosted.which() == before


KEEP = "if os.fork() == 0:\n    os.setsid()\n    {0}\n    time.sleep(3600)\n"


@pytest.mark.parametrize(
    "hide",
    [
        "pass",
        "for n in signal.valid_signals() - {9, 19}: signal.signal(n, signal.SIG_IGN) if n > 0 else 0",
        "os.kill(os.getpid(), signal.SIGSTOP)",
        "[os.fork() for _ in range(5)]",
        "os.fork() or os.fork() or [os.fork() for _ in iter(int, 1) if time.sleep(0.01) is None]",
    ],
    ids=["a child", "one that ignores signals", "one that is stopped", "many", "a bomb that goes on"],
)
def test_nothing_that_it_starts_survives_it_and_the_host_goes_with_it(hosted: Hosted, hide: str) -> None:
    before = hosted.which()
    reader, writer = os.pipe()
    body = "signal.alarm(20)\n" + KEEP.format(hide) + "time.sleep(0.2)\n"
    hosted.says(body, descriptors=[writer])
    os.close(writer)
    assert os.read(reader, 1) == b""  # no process has the other end
    os.close(reader)
    assert hosted.hosts.waiting() == []
    assert hosted.which() != before


@pytest.mark.parametrize(
    "left",
    [
        LIBC + "assert libc.shmget(0, 4096, 0o1600) >= 0",
        LIBC + "assert libc.msgget(0, 0o1600) >= 0",
        LIBC + "assert libc.semget(0, 1, 0o1600) >= 0",
        "resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3))",
        "resource.prlimit(1, resource.RLIMIT_CPU, (600, 600))",
        "os.setpriority(os.PRIO_PROCESS, 1, 19)",
        "os.sched_setscheduler(1, os.SCHED_BATCH, os.sched_param(0))",
    ],
    ids=["memory", "queue", "semaphore", "files", "cpu time", "priority", "scheduler"],
)
def test_a_host_is_used_no_more_once_it_is_not_as_it_was(hosted: Hosted, left: str) -> None:
    before = hosted.which()
    hosted.says(left)
    assert hosted.hosts.waiting() == []
    assert hosted.which() != before


def test_queues_that_outlive_who_makes_them_cannot_be_made(hosted: Hosted) -> None:
    body = LIBC + TOLD.format("libc.mq_open(b'/kept', os.O_CREAT | os.O_RDWR, 0o600, None)")
    assert hosted.says(body) == ("Too many open files",)


@pytest.mark.parametrize("end", ["sys.exit(1)", "os.kill(os.getpid(), 9)", "os._exit(7)", "1 / 0"])
def test_a_host_is_used_no_more_once_a_fork_ended_badly(hosted: Hosted, end: str) -> None:
    before = hosted.which()
    assert hosted.run(end).returncode != 0
    assert hosted.hosts.waiting() == []
    assert hosted.which() != before


def test_what_a_fork_changes_in_its_memory_is_not_there_for_the_next(hosted: Hosted) -> None:
    harm = "import agent.prober, json\nagent.prober.main = json.dumps = lambda *_: say('harm')\n"
    look = f"{WHICH}\nimport agent.prober, json\nsay(json.dumps(1), agent.prober.main.__name__)"
    assert hosted.says(harm + WHICH) == (hosted.which(),)
    assert hosted.says(look) == (hosted.which(), "1 main")


def test_files_of_another_family_are_read_by_another_host(hosted: Hosted) -> None:
    one, other = hosted.which("one"), hosted.which("other")
    assert one != other
    assert (hosted.which("one"), hosted.which("other")) == (one, other)


AGENT = """
import sys, threading
from agent.ffmpeg.spawner import Spawner
from agent.hosts.pool import Hosts
from agent.sandbox import detect
from tests.agent.hosted import Hosted
spawner = Spawner()
hosted = Hosted(spawner, detect(spawner, 'required'), Hosts(2))
for family in ('one', 'two'): hosted.which(family)
threading.Thread(target=hosted.run, args=(sys.argv[1],), kwargs={'family': 'two'}, daemon=True).start()
print('started', flush=True)
threading.Event().wait()
"""


@pytest.fixture
def agent() -> Iterator[subprocess.Popen[str]]:
    forever = "os.fork()\nos.setsid()\nwhile True: time.sleep(1)"
    forever = forever.replace("os.setsid()", "os.getpid() > 2 and os.setsid()")
    process = subprocess.Popen([sys.executable, "-c", AGENT, forever], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "started\n"
        yield process
        process.kill()
        process.wait()


@pytest.mark.usefixtures("sandbox")  # skips where there is none
def test_nothing_outlives_an_agent_that_is_killed(agent: subprocess.Popen[str]) -> None:
    """Two monitors, two hosts, a fork and its child."""
    tree = psutil.Process(agent.pid)
    assert wait_until(lambda: len(tree.children(recursive=True)) == 6)
    all_ = [child.pid for child in tree.children(recursive=True)]
    agent.kill()
    agent.wait()
    assert wait_until(lambda: all(is_gone(pid) for pid in all_), deadline=2)
