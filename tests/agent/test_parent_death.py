"""An ffmpeg never outlives its agent, and outlives every other thread of it."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from tests.agent.conftest import is_gone, wait_until

AGENT = """
import sys, threading
from pathlib import Path
from agent.ffmpeg.spawner import Spawner
spawner = Spawner()
child = spawner.spawn(
    [sys.argv[1], "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc2", "-f", "null", "-"], Path.cwd())
print(child.pid, flush=True)
threading.Event().wait()
"""


def test_a_killed_agents_ffmpeg_is_gone_within_two_seconds(toolbox: Toolbox) -> None:
    ffmpeg = toolbox.ffmpeg_for("libx264")
    assert ffmpeg is not None
    agent = subprocess.Popen(
        [sys.executable, "-c", AGENT, str(ffmpeg.path)], stdout=subprocess.PIPE, text=True
    )
    assert agent.stdout is not None
    with agent.stdout:
        pid = int(agent.stdout.readline())
        assert wait_until(lambda: "ffmpeg" in Path(f"/proc/{pid}/comm").read_text())
        agent.send_signal(signal.SIGKILL)
        agent.wait()
        assert wait_until(lambda: is_gone(pid), deadline=2)


HASTY = """
import os, sys, threading
from pathlib import Path
from agent.ffmpeg.spawner import Spawner
spawner = Spawner()
threading.Timer(float(sys.argv[1]), lambda: os.kill(os.getpid(), 9)).start()
while True:
    spawner.spawn(["sleep", sys.argv[2]], Path.cwd())
"""


def test_nothing_is_left_of_an_agent_that_dies_while_it_starts_one() -> None:
    mark = f"{3600 + os.getpid() / 1e7:.7f}"  # recognises the children of this test

    def left() -> list[int]:
        found = [p.pid for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])]
        return [pid for pid in found if not is_gone(pid)]

    for n in range(12):
        agent = subprocess.run([sys.executable, "-c", HASTY, str(n * 0.0005), mark], check=False)
        assert agent.returncode == -signal.SIGKILL
    assert wait_until(lambda: left() == [], deadline=2)


def test_a_thread_that_asked_for_an_ffmpeg_may_end_before_it(spawner: Spawner, tmp_path: Path) -> None:
    children: list[subprocess.Popen[bytes]] = []
    asking = threading.Thread(target=lambda: children.append(spawner.spawn(["cat", "/dev/zero"], tmp_path)))
    asking.start()
    asking.join()
    child = children[0]
    assert child.stdout is not None
    assert child.stderr is not None
    with child.stdout, child.stderr:
        for _ in range(20):  # more than a pipe holds: it still writes
            assert child.stdout.read(65536)
        assert child.poll() is None
        child.kill()
        assert child.wait(20) == -signal.SIGKILL
