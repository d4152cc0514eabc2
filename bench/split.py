"""Whether two agents make one file nearly twice as fast as one ffmpeg, each with one encoder thread.

    python bench/split.py [--seconds 120] [--preset medium] [--limit 900] [--from store|root]

It makes a clip of 720p whose scenes change, encodes it with one plain ffmpeg and then, in the same run, as a
job with `split: auto` on a master with two agents; it prints both times, what the farm took beyond that, and
memory. The exit code is 1 if the farm is less than 1.9 times as fast, if plan, pieces, transfer and join
together took 3 % of the encode's CPU time or more, or if it took longer than `--limit` seconds. Nothing else
should run meanwhile, on two cores at least.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import psutil

from tests.files.support import store
from tests.masters import Client
from tests.system.farm import Agent, Farm

FASTER, BESIDE = 1.9, 0.03
"""What is aimed at: how many times as fast; the share of the encode's CPU time."""
SCENES = (
    "testsrc2=s=1280x720:r=30",
    "mandelbrot=s=320x180:r=30:start_scale=0.9,scale=1280:720",
    "color=gray:s=1280x720:r=30,noise=alls=12:allf=t",
    "life=s=320x180:r=30:mold=10:ratio=0.1,scale=1280:720:flags=neighbor",
    "gradients=s=320x180:r=30:speed=0.02,scale=1280:720",
)
_SCENE = 6.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Run:
    """How long the job took, and what it cost."""

    wall: float
    cpu: float
    """Seconds, of all processes of the farm."""
    parts: list[dict[str, Any]]
    memory: dict[str, int]
    """Bytes, the most, by process."""


def make(folder: Path, seconds: float) -> Path:
    """The clip, in scenes of six seconds."""
    count = max(2, round(seconds / _SCENE))
    inputs = []
    for number in range(count):
        source = SCENES[number % len(SCENES)]
        inputs += ["-f", "lavfi", "-t", f"{seconds / count:.3f}", "-i", source]
    graph = "".join(f"[{n}:v]format=yuv420p,setsar=1,hue=h={37 * n}[v{n}];" for n in range(count))
    graph += "".join(f"[v{n}]" for n in range(count)) + f"concat=n={count}[v]"
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *inputs]
    argv += ["-f", "lavfi", "-i", f"sine=frequency=300:duration={seconds}", "-filter_complex", graph]
    argv += ["-map", "[v]", "-map", f"{count}:a", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "18"]
    subprocess.run([*argv, "-c:a", "aac", "-y", str(folder / "clip.mp4")], check=True)
    return folder / "clip.mp4"


def plain(clip: Path, preset: str) -> tuple[float, float]:
    """Wall and CPU seconds of one ffmpeg with one thread."""
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-threads", "1", "-i", str(clip)]
    argv += ["-c:v", "libx264", "-preset", preset, "-crf", "23", "-threads", "1", "-filter_threads", "1"]
    argv += ["-c:a", "aac", "-y", str(clip.with_name("plain.mp4"))]
    begun, before = time.monotonic(), psutil.Process().cpu_times()
    subprocess.run(argv, check=True)
    wall, after = time.monotonic() - begun, psutil.Process().cpu_times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, spent


def split(client: Client, processes: dict[str, psutil.Process], sent: dict[str, Any], limit: float) -> Run:
    """Runs the job on the farm."""
    begun, before = time.monotonic(), sum(map(_cpu, processes.values()))
    answer = client.post("/jobs", json=sent)
    if answer.status_code != 201:
        raise SystemExit(answer.text)
    job_id = answer.json()["id"]
    while True:
        job = client.get(f"/jobs/{job_id}").json()
        wall = time.monotonic() - begun
        if job["status"] == "completed":
            break
        if job["status"] in ("failed", "canceled"):
            raise SystemExit(f"the job is {job['status']}: {job['error']}")
        if wall > limit:
            raise SystemExit(f"the job took longer than {limit:g} s")
        time.sleep(0.1)
    cpu = sum(map(_cpu, processes.values())) - before
    parts = client.get("/jobs", params={"parent_id": job_id, "limit": 500}).json()["jobs"]
    found = [client.get(f"/jobs/{part['id']}").json() for part in parts]
    memory = {name: _peak(process) for name, process in processes.items()}
    return Run(wall, cpu, found, memory)


def _cpu(process: psutil.Process) -> float:
    """Seconds that it and all its children took that have ended."""
    return float(sum(process.cpu_times()[:4]))


def _peak(process: psutil.Process) -> int:
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:"))) * 1024


def report(run: Run, alone: tuple[float, float]) -> bool:
    """Prints what was found; whether it is what is aimed at."""
    chunks = [part for part in run.parts if part.get("stage") in ("chunk", "look", "sound")]
    encoding = sum(float((part.get("metrics") or {}).get("cpu_seconds") or 0) for part in chunks)
    for part in run.parts:
        metrics = part.get("metrics") or {}
        print(
            f"  {part['part']:<12} {metrics.get('frames') or '-':>6} frames "
            f"{metrics.get('cpu_seconds') or 0:>8.1f} s CPU  on {part['node_id']}"
        )
    faster, beside = alone[0] / run.wall, (run.cpu - encoding) / encoding if encoding else float("inf")
    print(f"one ffmpeg, one thread     {alone[0]:8.1f} s  ({alone[1]:.1f} s CPU)")
    print(f"two agents, split: auto    {run.wall:8.1f} s  ({run.cpu:.1f} s CPU)")
    print(f"times as fast              {faster:8.2f}    (aim: {FASTER})")
    print(f"CPU beside encoding        {beside:8.1%}    of {encoding:.1f} s (aim: below {BESIDE:.0%})")
    for name, peak in run.memory.items():
        print(f"most memory of {name:<12}{peak / 1024**2:7.0f} MiB")
    return faster >= FASTER and beside < BESIDE


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--preset", default="medium")
    parser.add_argument("--limit", type=float, default=900)
    parser.add_argument("--from", choices=("store", "root"), default="store", dest="place")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        media = folder / "media"
        media.mkdir()
        clip = make(media, asked.seconds)
        alone = plain(clip, asked.preset)
        farm = Farm(folder)
        try:
            master = farm.master()
            flags = ("--max-concurrent-jobs=1", f"--media-root=inputs={media}")
            agents: list[Agent] = [farm.agent(master, *flags, name=each) for each in ("one", "two")]
            for agent in agents:
                agent.says("Registered with")
            input_ = "media:inputs/clip.mp4"
            if asked.place == "store":
                input_ = f"file:{store(master.client(), clip.read_bytes())['sha256']}"
            sent = {
                "scenario": "720p30-h264",
                "input": input_,
                "output": "files",
                "parameters": {"split": "auto", "preset": asked.preset, "crf": 23, "threads": 1},
            }
            processes = {each.name: psutil.Process(each.process.pid) for each in agents}
            processes["the master"] = psutil.Process(master.process.pid)
            run = split(master.client(), processes, sent, asked.limit)
        finally:
            farm.close()
        return 0 if report(run, alone) else 1


if __name__ == "__main__":
    raise SystemExit(main())
