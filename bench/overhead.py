"""What a master and an agent with two slots add to encodes, beside the same commands under `xargs -P2`.

The farm first encodes short clips, which tell how fast this machine is and what the commands are. Then it
encodes, and so does xargs: the same commands with the same threads, each of some `LONG` seconds, two at once.
CPU time of the farm is that of the master, the agent and all that they start, less what the encodes took.
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench.rig import Look, Row, Sample, Subject, Target
from bench.servers import family_cpu
from tests.system.farm import Farm

SLOTS = 2
LONG, SHORT = 33.0, 2.0
"""Seconds that each encode takes while another runs beside it, more or less; of a quick run."""
MANY, FEW = 10, 4
"""Encodes; of a quick run."""
SCENARIO = "720p30-h264"
_LOOK = 1.0
"""Seconds between two looks at the agent's memory."""
_SILENCE = 120.0
"""Seconds after which a stream that says nothing is broken."""
_CLIP = 3.0
"""Seconds of the clip that tells the speed."""
_START = 120.0
"""Seconds within which the agent must have tried its encoders."""
KEYS = ("overhead-wall", "overhead-cpu", "overhead-memory")


@dataclass(slots=True)
class Found:
    """What one run of the farm took."""

    wall: float
    cpu: float
    """Seconds of the master, the agent, and all that they started, without the encodes."""
    encodes: float
    """Seconds of CPU time of the encodes."""
    memory: int
    """Bytes: the most that the agent and its helpers had, without encodes."""
    alone: int
    """Bytes: the most that the agent's own process had."""

    @property
    def percent(self) -> float:
        """The farm's CPU time beside that of the encodes."""
        return 100 * self.cpu / self.encodes


class Bed:
    """A farm with one agent, and what it is given. `seconds`: that each encode is to take."""

    def __init__(self, farm: Farm, folder: Path, jobs: int, seconds: float) -> None:
        self._folder = folder
        self._jobs = jobs
        self._master = farm.master()
        self._agent = farm.agent(self._master, f"--max-concurrent-jobs={SLOTS}")
        self._agent.says("Registered with", _START)
        self._client = self._master.client()
        self._memory = self._alone = 0
        self._parameters: dict[str, Any] = {"preset": "medium", "threads": 1, "duration": _CLIP}
        # By CPU time, which other programs lengthen less; as many as there are slots: they share the machine.
        tried = max(float(each["cpu_seconds"]) for each in self._encoded(SLOTS))
        self._parameters["duration"] = max(1.0, round(seconds * _CLIP / tried))
        self._command = self._encoded(1)[0]["command"]

    def farm(self) -> Found:
        """Encode all through the farm."""
        pids = (self._master.process.pid, self._agent.process.pid)
        self._memory = self._alone = 0
        before, began = sum(map(family_cpu, pids)), time.monotonic()
        metrics = self._encoded(self._jobs)
        wall = time.monotonic() - began
        encodes = sum(float(each["cpu_seconds"]) for each in metrics)
        cpu = sum(map(family_cpu, pids)) - before - encodes
        return Found(wall, cpu, encodes, self._memory, self._alone)

    def xargs(self) -> float:
        """Seconds that the same commands take without it."""
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            lines = []
            for number in range(self._jobs):
                place = Path(name) / str(number)
                place.mkdir()
                lines.append(f"cd {shlex.quote(str(place))} && exec {self._command}")
            began = time.monotonic()
            subprocess.run(
                ["/usr/bin/xargs", f"-P{SLOTS}", "-d", "\n", "-n1", "sh", "-c"],
                input="\n".join(lines), text=True, check=True, capture_output=True,
            )  # fmt: skip
            return time.monotonic() - began

    def _encoded(self, count: int) -> list[dict[str, Any]]:
        """The metrics of so many jobs that are submitted now."""
        sent = {"scenario": SCENARIO, "parameters": self._parameters}
        answer = self._client.post("/jobs/batch", json={"jobs": [sent] * count})
        if answer.status_code != 201:
            raise RuntimeError(answer.text)
        jobs = [job["id"] for job in answer.json()["jobs"]]
        with self._watched():
            for job in jobs:
                # It ends when the job does. Asking again and again would cost the master CPU time.
                self._client.get(f"/jobs/{job}/logs?follow=1", timeout=_SILENCE)
        return [self._metrics(job) for job in jobs]

    def _metrics(self, job: str) -> dict[str, Any]:
        found = self._client.get(f"/jobs/{job}/result").json()
        if found["status"] != "completed":
            raise RuntimeError(f"an encode is {found['status']}")
        return dict(found["metrics"])

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Meanwhile a thread of ours looks at the agent's memory."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(_LOOK):
                whole, alone = own_memory(self._agent.process.pid)
                self._memory, self._alone = max(self._memory, whole), max(self._alone, alone)

        thread = threading.Thread(target=watch, name="memory")
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def own_memory(pid: int) -> tuple[int, int]:
    """Bytes of an agent and its helpers, without the encodes; and of the agent's own process."""
    agent = psutil.Process(pid)
    alone = total = agent.memory_full_info().pss
    for each in agent.children(recursive=True):
        with suppress(psutil.Error):
            if not each.name().startswith("ffmpeg"):
                total += each.memory_full_info().pss
    return total, alone


class Runs:
    """Runs that several rows share: each takes minutes, and has all that they tell."""

    def __init__(self, jobs: int, seconds: float) -> None:
        self._jobs = jobs
        self._seconds = seconds
        self._bed: Bed | None = None
        self._left: dict[str, list[Found]] = {key: [] for key in KEYS}

    @contextmanager
    def through(self, key: str, value: Callable[[Found], float], folder: Path) -> Iterator[Look]:
        """The farm. A row takes the runs of the rows before it, and makes its own where there are none."""
        if self._left[key]:
            yield lambda: _sample(self._left[key].pop(0), value)
            return
        with self._opened(folder) as bed:

            def look() -> Sample:
                found = bed.farm()
                for other in KEYS[KEYS.index(key) + 1 :]:
                    self._left[other].append(found)
                return _sample(found, value)

            yield look

    @contextmanager
    def alone(self, _: Path) -> Iterator[Look]:
        """The same commands under xargs, while the farm is idle."""
        bed = self._bed
        if bed is None:
            raise RuntimeError("the farm is opened first: it tells the commands")
        yield lambda: Sample(bed.xargs())

    @contextmanager
    def _opened(self, folder: Path) -> Iterator[Bed]:
        farm = Farm(folder)
        try:
            self._bed = Bed(farm, folder, self._jobs, self._seconds)
            yield self._bed
        finally:
            self._bed = None
            farm.close()


def _sample(found: Found, value: Callable[[Found], float]) -> Sample:
    more = {
        "the farm's CPU, s": found.cpu,
        "the encodes' CPU, s": found.encodes,
        "the agent's own process, MB": found.alone / 1e6,
    }
    return Sample(value(found), more)


def rows(quick: bool) -> list[Row]:
    """Wall time, CPU time and memory, of the same runs."""
    jobs, seconds, times = (FEW, SHORT, 1) if quick else (MANY, LONG, 2)
    runs, limit = Runs(jobs, seconds), 180.0 if quick else 1500.0
    alone = f"xargs -P{SLOTS}"

    def row(
        key: str, title: str, unit: str, value: Callable[[Found], float], target: Target, note: str
    ) -> Row:
        against = (Subject(alone, runs.alone),) if target.against else ()
        ours = Subject("a master and an agent", partial(runs.through, key, value))
        return Row(key, title, unit, ours, against, (target,), "less", note, times, limit)

    wall, cpu, memory = KEYS
    return [
        row(
            wall, f"{jobs} encodes of about {seconds:.0f} s, two at a time: wall time", "s",
            lambda found: found.wall, Target(most=1.02, against=alone),
            f"{SCENARIO}, preset medium, one thread each; the very same commands. From the submit of the "
            "batch until the last result is there, verified and synced. While xargs runs, the farm is idle.",
        ),
        row(
            cpu, "CPU time of master and agent, beside that of the encodes", "%",
            lambda found: found.percent, Target(most=1.0),
            "With all that they start (sandbox, verifying of outputs), but for the encodes.",
        ),
        row(
            memory, "Memory of the agent at work", "MB",
            lambda found: found.memory / 1e6, Target(most=60.0),
            "With its helpers and without ffmpeg; what processes share counts once. The most that was seen.",
        ),
    ]  # fmt: skip
