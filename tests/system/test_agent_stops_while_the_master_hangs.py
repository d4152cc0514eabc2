"""A master that hangs keeps no agent that is told to stop: not its goodbye, its jobs, nor its start."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.masters import Master, wait_until
from tests.system.farm import ENDLESS, Agent, Farm, encoding, submit


@contextmanager
def hanging(master: Master) -> Iterator[None]:
    """The master takes connections and answers nothing for as long as the block lasts."""
    pids = [pid for pid in (master.process.pid, master.worker_pid()) if pid is not None]
    assert len(pids) == 2
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def terminate(agent: Agent) -> None:
    """Send SIGTERM, and return when it has arrived: two that wait together would be one."""
    agent.signal(signal.SIGTERM)
    status = Path(f"/proc/{agent.process.pid}/status")
    wait_until(lambda: not re.search(r"^(Sig|Shd)Pnd:\t0*[1-9a-f]", status.read_text(), re.M), "it arrived")


def test_an_idle_agent_ends(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master)
    assert agent.node_id
    with hanging(master):
        terminate(agent)
        assert agent.ends(15) == 0


def test_the_second_signal_ends_an_agent_that_has_a_job(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        encoding(agent, submit(client, ENDLESS))
    with hanging(master):
        terminate(agent)
        agent.says("Stopping: 1 job(s) are running")
        terminate(agent)
        assert agent.ends(25) == 0
        wait_until(lambda: not agent.ffmpegs(), "its ffmpeg is gone", 5)


def test_the_second_signal_ends_an_agent_that_still_starts(farm: Farm) -> None:
    master = farm.master()
    first = farm.agent(master)
    assert first.node_id
    first.kill()
    with hanging(master):
        second = farm.agent(master, how=())
        second.says("Slots: ")
        terminate(second)
        terminate(second)
        assert second.ends(10) == 0
        assert "Registered" not in second.log
