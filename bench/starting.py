"""How soon after its submit a job's ffmpeg runs on an idle agent, while many others wait too.

The agent is a real one. The ffmpeg that it is given is a script that writes into a pipe as its first act and
then becomes the real one; so what is measured ends when ffmpeg's own process, in its sandbox, has begun.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information

from bench.playing import nodes
from bench.rig import Look, Sample, quantile
from bench.servers import Server
from bench.waiting import Crowd, many_files
from tests.masters import Client
from tests.system.farm import TINY, Farm, submit

WRAPPER = """\
#!/bin/sh
case " $* " in
*" -encoders "*) "{real}" "$@" | grep " libx264 " ;;
*" -progress "*) echo >"{pipe}"; exec "{real}" "$@" ;;
*) exec "{real}" "$@" ;;
esac
"""
_READY, _LATE = 120.0, 30.0


@contextmanager
def opened(agents: int, jobs: int, folder: Path) -> Iterator[Look]:
    """The p99 of the milliseconds from the submit of a job until its ffmpeg runs; `agents` others wait."""
    many_files()
    real, farm = imageio_ffmpeg.get_ffmpeg_exe(), Farm(folder)
    with ExitStack() as stack:
        stack.callback(farm.close)
        place = folder / "pipe"
        place.mkdir()
        os.mkfifo(place / "began")
        (place / "began").chmod(0o666)  # the sandbox has a user of its own
        pipe = os.open(place / "began", os.O_RDWR | os.O_NONBLOCK)
        stack.callback(os.close, pipe)
        master = farm.master(lease="1h", heartbeat_timeout="1h", submit_rate="0")
        (folder / "ffmpeg").write_text(WRAPPER.format(real=real, pipe=place / "began"))
        # Directories on this path are seen in the sandbox.
        agent = farm.agent(master, environment={"LD_LIBRARY_PATH": f"{Path(real).parent}:{place}"})
        agent.says("Registered with", _READY)
        server = Server(master.port, master.process.pid, master.state_dir)
        crowd = stack.enter_context(Crowd(server, nodes(server, agents, slots=1, run_unlabeled=False)))
        crowd.must_be_parked()
        with master.client(master.token) as client:
            _one(client, pipe)
            yield lambda: _sample([_one(client, pipe) for _ in range(jobs)])


def _one(client: Client, pipe: int) -> float:
    """Seconds for one job; it returns when the agent is idle again."""
    began = time.perf_counter()
    job = submit(client, TINY)
    ready, _, _ = select.select([pipe], [], [], _LATE)
    taken = time.perf_counter() - began
    if not ready:
        raise RuntimeError(f"no ffmpeg began within {_LATE:g} s")
    os.read(pipe, 100)
    while client.get(f"/jobs/{job}").json()["status"] != "completed":
        time.sleep(0.05)
    time.sleep(0.1)  # the agent has asked for the next one
    return taken


def _sample(times: list[float]) -> Sample:
    return Sample(1000 * quantile(times, 0.99), {"p50, ms": 1000 * quantile(times, 0.5)})
