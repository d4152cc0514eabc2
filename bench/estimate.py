"""Whether the estimate of when a job ends holds: real jobs of several kinds, through a master and an agent.

    python bench/estimate.py [--seconds 20] [--only KIND,KIND] [--times 1] [--most 720]

Each kind has an agent of its own, which has seen nothing before: the first job is the hardest to foresee.
With `--times` that agent gets more of them. Each job takes about so many `--seconds`: how fast this machine
encodes is tried first. While it runs, its `seconds_left` is read ten times a second. The error is that of
the end that was told, as a share of the whole time: (t + left - T) / T, below 0 where it took longer than
that. It is printed for a quarter, half and three quarters of the time, with the `percent` that was shown at
half, the load of the machine, and how slow the agent takes it to be. Of a kind that is marked with `*` it
is not expected to hold, and docs/progress.md says why. Where there is no time for a kind before `--most`
seconds are over, it is not begun. The exit code is 1 if a kind missed 10 % at half of its time in most
runs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information

from agent.ffmpeg import command
from common.scenarios import SCENARIOS
from common.settings import resolve
from tests.masters import Client
from tests.system.farm import Farm

ALLOWED = 0.10
EASY = "color=gray:s=640x360:r=30,noise=alls=2:allf=t"
HARD = "mandelbrot=s=640x360:r=30,noise=alls=40:allf=t"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job."""

    name: str
    scenario: str
    parameters: dict[str, Any]
    frames: float
    """Frames of video that take a second where `_FRAMES` are encoded in one."""
    more: dict[str, Any]
    content: tuple[str, ...] = ()
    """The job has an input, made of these parts; none: a picture that ffmpeg makes."""
    holds: bool = True


_ON = {"content": "motion"}
_SLOW = {"preset": "slow"}
KINDS = [
    Kind("plain", "720p30-h264", {**_ON}, 120, {}),
    Kind("two passes", "720p30-h264", {**_ON, "two_pass": True}, 65, {}),
    Kind("two passes, slow", "720p30-h264", {**_ON, **_SLOW, "two_pass": True}, 15, {}),
    Kind("then VMAF", "480p30-h264", {**_ON, "quality": ["vmaf"]}, 100, {}),
    Kind("VMAF is most", "480p30-h264", {**_ON, "quality": ["vmaf"], "preset": "ultrafast"}, 130, {}),
    Kind("repeated", "480p30-h264", {**_ON}, 90, {"confidence": "low"}),
    Kind("a searched CRF", "480p30-h264", {**_ON, "target_vmaf": 90}, 35, {}),
    Kind("a ladder", "720p30-h264", {**_ON, "ladder": ["720p", "480p", "360p"]}, 55, {}),
    Kind("easy, then hard", "480p30-h264", _SLOW, 11, {}, (EASY, HARD)),
    Kind("hard, then easy *", "480p30-h264", _SLOW, 11, {}, (HARD, EASY), holds=False),
    Kind("scenes", "480p30-h264", _SLOW, 11, {}, (EASY, HARD) * 6),
]
_FRAMES = 120.0
"""Frames of the first kind that were encoded in a second where these numbers are from: two quiet cores."""


def speed() -> float:
    """How fast this machine encodes just now, beside that one."""
    settings = resolve(SCENARIOS[KINDS[0].scenario], {**KINDS[0].parameters, "duration": 10})
    with tempfile.TemporaryDirectory() as name:
        argv = command.build(imageio_ffmpeg.get_ffmpeg_exe(), settings, "tried.mp4")
        begun = time.monotonic()
        subprocess.run(argv, cwd=name, check=True, capture_output=True)
        return settings.frames / (time.monotonic() - begun) / _FRAMES


def make(folder: Path, kind: Kind, length: float) -> dict[str, str]:
    """The job's input, so many seconds long, if it has one: what the request says of it."""
    if not kind.content:
        return {}
    each = length / len(kind.content)
    inputs = [part for source in kind.content for part in ("-f", "lavfi", "-t", f"{each:.3f}", "-i", source)]
    joined = "".join(f"[{n}:v]format=yuv420p,setsar=1[v{n}];" for n in range(len(kind.content)))
    joined += "".join(f"[v{n}]" for n in range(len(kind.content))) + f"concat=n={len(kind.content)}"
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *inputs, "-filter_complex", joined]
    argv += ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-y", str(folder / "input.mp4")]
    subprocess.run(argv, check=True)
    return {"input": "media:inputs/input.mp4"}


Seen = tuple[float, float | None, float | None]


def follow(client: Client, job_id: str) -> tuple[float, list[Seen]]:
    """How long the job took once a node had it, and what was shown of it meanwhile."""
    begun: float | None = None
    seen: list[Seen] = []
    while True:
        job = client.get(f"/jobs/{job_id}").json()
        now = time.monotonic()
        if job["status"] in ("failed", "canceled"):
            raise SystemExit(f"job {job_id} is {job['status']}: {job['error']}")
        if begun is None and (job["status"] == "running" or job["node_id"]):
            begun = now
        if begun is not None:
            if job["status"] == "completed":
                return now - begun, seen
            progress = job["progress"] or {}
            seen.append((now - begun, progress.get("seconds_left"), progress.get("percent")))
        time.sleep(0.1)


def error_at(share: float, whole: float, seen: list[Seen]) -> tuple[float | None, float | None]:
    """The error at this share of the time, and the percentage that was shown then."""
    at, left, percent = max(
        (each for each in seen if each[0] <= share * whole), key=lambda each: each[0], default=(0, None, None)
    )
    return (None if left is None else (at + left - whole) / whole), percent


@contextmanager
def running(folder: Path) -> Iterator[tuple[Client, str]]:
    """A master and one agent; and how slow that one takes this machine to be."""
    farm = Farm(folder)
    try:
        master = farm.master()
        agent = farm.agent(master, "--max-concurrent-jobs=1", f"--media-root=inputs={folder}")
        client = master.client()
        agent.says("Registered with")
        yield client, agent.says("Slowness").rpartition(" ")[2]
    finally:
        farm.close()


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--only", default="")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--most", type=float, default=720)
    asked = parser.parse_args()
    only = [name for name in asked.only.split(",") if name]
    wanted = [kind for kind in KINDS if not only or any(kind.name.startswith(each) for each in only)]
    begun, fast = time.monotonic(), speed()
    print(f"This machine encodes {fast:.2f} times as fast as that of the kinds' numbers.")
    print(f"{'kind':<20}{'job':>5}{'took':>8}{'at 1/4':>9}{'at 1/2':>9}{'at 3/4':>9}", end="")
    print(f"{'percent at 1/2':>16}{'load':>7}{'slowness':>10}", flush=True)
    missed, left = [], []
    for kind in wanted:
        if time.monotonic() - begun > asked.most - asked.seconds * asked.times:
            left.append(kind.name)
            continue
        halves = _jobs(kind, asked.seconds * kind.frames * fast / 30, asked.times)
        if kind.holds and median(halves) > ALLOWED:
            missed.append(kind.name)
    print(f"not tried, there was no time: {', '.join(left)}" if left else "All kinds were tried.")
    print(f"missed: {', '.join(missed)}" if missed else "All of them hold.")
    return 1 if missed else 0


def _jobs(kind: Kind, length: float, times: int) -> list[float]:
    """The errors at half of its time of as many jobs of `length` seconds, on an agent of their own."""
    with tempfile.TemporaryDirectory() as name, running(Path(name)) as (client, slowness):
        given = make(Path(name), kind, length)
        long = {} if given else {"duration": round(length, 1)}
        sent = {"scenario": kind.scenario, "parameters": {**kind.parameters, **long}, **kind.more, **given}
        return [_run(client, kind, sent, number, slowness) for number in range(1, times + 1)]


def _run(client: Client, kind: Kind, sent: dict[str, Any], number: int, slowness: str) -> float:
    """The error at half of its time; infinite where nothing was told."""
    answer = client.post("/jobs", json=sent)
    if answer.status_code != 201:
        raise SystemExit(answer.text)
    took, seen = follow(client, answer.json()["id"])
    errors = [error_at(share, took, seen) for share in (0.25, 0.5, 0.75)]
    shown = "".join(f"{'-' if e is None else f'{e:+.1%}':>9}" for e, _ in errors)
    half, percent = errors[1]
    print(f"{kind.name:<20}{number:>5}{took:>7.1f}s{shown}", end="")
    print(
        f"{'-' if percent is None else f'{percent:.1f}':>16}{os.getloadavg()[0]:>7.1f}{slowness:>10}",
        flush=True,
    )
    return float("inf") if half is None else abs(half)


if __name__ == "__main__":
    raise SystemExit(main())
