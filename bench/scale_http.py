"""What a heartbeat and an empty poll cost a real master, with HTTP and TLS, and what it costs without."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from tests.masters import Master, start_master

REQUESTS = 600
SETTLES, IDLE = 3.0, 8.0
"""Seconds that a master which has just started gets, and for which it is looked at while nobody asks."""


def over_http(state_dir: Path, node_ids: list[str]) -> dict[str, float]:
    """Microseconds of CPU time of the master's processes: for each second while nobody asks, and what each
    request over one kept connection adds to that.
    """
    master = start_master(state_dir)
    try:
        client = master.client(master.token)
        time.sleep(SETTLES)
        before = _cpu(master)
        time.sleep(IDLE)
        idle = (_cpu(master) - before) / IDLE
        found = {"http_idle": idle * 1e6}
        for name in ("http_heartbeat", "http_poll"):
            for number in range(-50, REQUESTS):
                if number <= 0:
                    before, begun = _cpu(master), time.monotonic()
                node_id = node_ids[number % len(node_ids)]
                if name == "http_heartbeat":
                    load = {"load": {"cpu": 0.5, "memory": 0.5}}
                    answer = client.post(f"/nodes/{node_id}/heartbeat", json=load)
                else:
                    answer = client.get(f"/jobs/next?node_id={node_id}")
                answer.raise_for_status()
            asked = _cpu(master) - before - idle * (time.monotonic() - begun)
            found[name] = asked / REQUESTS * 1e6
        return found
    finally:
        master.stop()


def _cpu(master: Master) -> float:
    """Seconds that the master and the processes that it started have used."""
    process = psutil.Process(master.process.pid)
    times = [each.cpu_times() for each in [process, *process.children(recursive=True)]]
    return sum(each.user + each.system for each in times)
