"""Whether two agents make one file nearly twice as fast as one ffmpeg, each with one encoder thread.

    python bench/split.py [--seconds 120] [--height 1080] [--preset slow] [--limit 900] [--from store|root]
                          [--unpinned]

It makes a clip whose scenes change, encodes it with one plain ffmpeg and then, in the same run, as a
job with `split: auto` on a master with two agents; it prints both times, what the farm took beyond that, and
memory. The exit code is 1 if the farm is less than 1.9 times as fast, if plan, pieces, transfer and join
together took 3 % of the encode's CPU time or more, or if it took longer than `--limit` seconds.

A machine is one core: the one ffmpeg and the first agent have the first one, the second agent the second one.
`--unpinned`: all use all cores; then the one ffmpeg decodes and filters on another core than it encodes on.

Nothing else should run meanwhile. Where something does, wall times say little, and "by CPU time" is what they
would be on quiet machines: the busiest agent's encodes, and behind one another all that is no encode.
"""

from __future__ import annotations

import argparse
import os
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

from tests.files.support import begin, send
from tests.masters import Client
from tests.system.farm import Agent, Farm

FASTER, BESIDE = 1.9, 0.03
"""What is aimed at: how many times as fast; the share of the encode's CPU time."""
SCENES = (
    "testsrc2=s=640x360:r=30",
    "mandelbrot=s=160x90:r=30:start_scale=0.9",
    "testsrc2=s=640x360:r=30,noise=alls=10:allf=t",
    "life=s=160x90:r=30:mold=10:ratio=0.1:seed=7",
    "gradients=s=320x180:r=30:speed=0.02:seed=3",
)
_ORDER = (0, 3, 1, 4, 2, 0, 4, 3, 1, 0, 2, 1, 3, 0, 4)
"""In which scenes follow one another, again and again: hard ones do not come evenly."""
WIDTHS = {720: 1280, 1080: 1920}
"""By height."""
_SCENE = 4
"""Seconds."""
_GOP = 60
"""Frames: as the farm's scenarios have it."""
_LOOKS = 1.0
"""Seconds between two looks at the job, which cost the master CPU time."""
_PIECE = 8 * 1024**2
"""Bytes that are sent at once."""


@dataclass(frozen=True, slots=True)
class Alone:
    """What one ffmpeg took."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Run:
    """How long the job took, and what it cost."""

    wall: float
    cpu: dict[str, float]
    """Seconds, of all processes of each of the farm's programs."""
    own: dict[str, float]
    """Of these, the program's own: without what it has others do."""
    parts: list[dict[str, Any]]
    memory: dict[str, int]
    """Bytes, the most, by program."""

    @property
    def encoding(self) -> dict[str, float]:
        """Seconds of CPU time that encodes took, by node."""
        found: dict[str, float] = {}
        for part in self.parts:
            own = float((part.get("metrics") or {}).get("cpu_seconds") or 0)
            found[part["node_id"]] = found.get(part["node_id"], 0.0) + own
        return found


def make(folder: Path, seconds: float, height: int) -> Path:
    """The clip: each scene is made once, and comes again and again."""
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-g", "120", "-pix_fmt", "yuv420p"]
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        for number, scene in enumerate(SCENES):
            source = ["-f", "lavfi", "-t", str(_SCENE), "-i", scene]
            graph = f"scale={WIDTHS[height]}:{height},setsar=1,hue=h={60 * number}"
            subprocess.run([*ffmpeg, *source, "-vf", graph, *encoder, f"{name}/{number}.mp4"], check=True)
        count = -(-int(seconds) // _SCENE)
        lines = [f"file '{name}/{_ORDER[n % len(_ORDER)]}.mp4'" for n in range(count)]
        (Path(name) / "list").write_text("\n".join(lines))
        argv = [*ffmpeg, "-f", "concat", "-safe", "0", "-i", f"{name}/list"]
        argv += ["-f", "lavfi", "-i", "sine=frequency=300", "-map", "0:v", "-map", "1:a", "-c:v", "copy"]
        subprocess.run([*argv, "-c:a", "aac", "-t", str(seconds), str(folder / "clip.mp4")], check=True)
    return folder / "clip.mp4"


def plain(clip: Path, preset: str, where: list[str]) -> Alone:
    """One ffmpeg with one thread."""
    argv = [*where, imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-threads", "1", "-i", str(clip)]
    argv += ["-c:v", "libx264", "-preset", preset, "-crf", "23", "-g", str(_GOP)]
    argv += ["-threads", "1", "-filter_threads", "1"]
    argv += ["-c:a", "aac", "-y", str(clip.with_name("plain.mp4"))]
    begun, before = time.monotonic(), os.times()
    subprocess.run(argv, check=True)
    wall, after = time.monotonic() - begun, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return Alone(wall, spent)


def split(client: Client, processes: dict[str, psutil.Process], sent: dict[str, Any], limit: float) -> Run:
    """Runs the job on the farm."""
    before = {name: _cpu(process) for name, process in processes.items()}
    own_before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    begun = time.monotonic()
    answer = client.post("/jobs", json=sent)
    if answer.status_code != 201:
        raise SystemExit(answer.text)
    job_id = answer.json()["id"]
    said = ""
    while True:
        job = client.get(f"/jobs/{job_id}").json()
        wall = time.monotonic() - begun
        if (now := f"{job['status']} {job.get('stage')} {job.get('pending_reason') or ''}") != said:
            print(f"  {wall:6.1f} s  {(said := now)}", file=sys.stderr)
        if job["status"] == "completed":
            break
        if job["status"] in ("failed", "canceled"):
            raise SystemExit(f"the job is {job['status']}: {job['error']}")
        if wall > limit:
            raise SystemExit(f"the job took longer than {limit:g} s")
        time.sleep(0.1 if job.get("stage") == "join" and job["status"] == "running" else _LOOKS)
    cpu = {name: _cpu(process) - before[name] for name, process in processes.items()}
    own = {name: sum(process.cpu_times()[:2]) - own_before[name] for name, process in processes.items()}
    parts = client.get("/jobs", params={"parent_id": job_id, "limit": 500}).json()["jobs"]
    found = [client.get(f"/jobs/{part['id']}").json() for part in parts]
    for part in found:
        part["metrics"] = client.get(f"/jobs/{part['id']}/result").json()["metrics"]
    memory = {name: _peak(process) for name, process in processes.items()}
    return Run(wall, cpu, own, sorted(found, key=lambda part: str(part["part"])), memory)


def _cpu(process: psutil.Process) -> float:
    """Seconds of it, of all its children, and of theirs, whether they have ended or not."""
    family = [process, *process.children(recursive=True)]
    return float(sum(sum(each.cpu_times()[:4]) for each in family))


def _peak(process: psutil.Process) -> int:
    """The program's own; of the master, all its processes'."""
    return sum(_most(each.pid) for each in (process, *process.children(recursive=True)))


def _most(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:"))) * 1024


def report(run: Run, alone: Alone, loads: list[float]) -> bool:
    """Prints what was found; whether it is what is aimed at."""
    for part in run.parts:
        metrics = part["metrics"] or {}  # a part that was given up for its twin has none
        lasted = (part.get("attempts") or [{}])[-1]
        print(
            f"  {part['part']:<12} {metrics.get('frames') or '-':>6} frames "
            f"{metrics.get('cpu_seconds') or 0:>8.1f} s CPU  on {part['node_id']}  "
            f"{str(lasted.get('started_at'))[14:23]} to {str(lasted.get('ended_at'))[14:23]}"
        )
    encoding, whole = sum(run.encoding.values()), sum(run.cpu.values())
    beside = (whole - encoding) / encoding if encoding else float("inf")
    quiet = alone.cpu / (max(run.encoding.values(), default=0.0) + whole - encoding)
    print(f"one ffmpeg, one thread     {alone.wall:8.1f} s  ({alone.cpu:.1f} s CPU)")
    print(
        f"two agents, split: auto    {run.wall:8.1f} s  ({whole:.1f} s CPU, {encoding:.1f} of them encodes)"
    )
    print(f"times as fast              {alone.wall / run.wall:8.2f}    (aim: {FASTER})")
    print(f"  by CPU time              {quiet:8.2f}")
    print(f"encoding beside the whole  {encoding / alone.cpu - 1:8.1%}    of {alone.cpu:.1f} s")
    print(f"CPU beside encoding        {beside:8.1%}    of {encoding:.1f} s (aim: below {BESIDE:.0%})")
    for name, spent in run.cpu.items():
        print(
            f"  {name:<12} {spent:8.1f} s CPU, {run.own[name]:.1f} of them its own, "
            f"at most {run.memory[name] / 1024**2:.0f} MiB"
        )
    print(
        f"load of the machine        {', '.join(f'{load:.1f}' for load in loads)}   (before, between, behind)"
    )
    return alone.wall / run.wall >= FASTER and beside < BESIDE


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--height", type=int, choices=WIDTHS, default=1080)
    parser.add_argument("--preset", default="slow")
    parser.add_argument("--limit", type=float, default=900)
    parser.add_argument("--from", choices=("store", "root"), default="store", dest="place")
    parser.add_argument("--unpinned", action="store_true")
    asked = parser.parse_args()
    cores = [[] if asked.unpinned else ["taskset", "--cpu-list", str(core)] for core in (0, 1)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        media = folder / "media"
        media.mkdir()
        begun = time.monotonic()
        clip = make(media, asked.seconds, asked.height)
        print(
            f"clip: {clip.stat().st_size / 1e6:.1f} MB, made in {time.monotonic() - begun:.1f} s",
            file=sys.stderr,
        )
        loads = [os.getloadavg()[0]]
        alone = plain(clip, asked.preset, cores[0])
        loads.append(os.getloadavg()[0])
        farm = Farm(folder)
        try:
            run = _on_a_farm(farm, media, asked, cores)
        finally:
            farm.close()
        return 0 if report(run, alone, [*loads, os.getloadavg()[0]]) else 1


def _on_a_farm(farm: Farm, media: Path, asked: argparse.Namespace, cores: list[list[str]]) -> Run:
    master = farm.master()
    flags = ("--max-concurrent-jobs=1", f"--media-root=inputs={media}")
    agents: list[Agent] = [
        farm.agent(master, *flags, name=each, inside=core)
        for each, core in zip(("one", "two"), cores, strict=True)
    ]
    for agent in agents:
        agent.says("Registered with", 60)
    input_ = "media:inputs/clip.mp4"
    if asked.place == "store":
        input_ = f"file:{_stored(master.client(), media / 'clip.mp4')}"
    sent = {
        "scenario": f"{asked.height}p30-h264",
        "input": input_,
        "output": "files",
        "parameters": {"split": "auto", "preset": asked.preset, "crf": 23, "threads": 1},
    }
    processes = {each.name: psutil.Process(each.process.pid) for each in agents}
    processes["the master"] = psutil.Process(master.process.pid)
    return split(master.client(), processes, sent, asked.limit)


def _stored(client: Client, clip: Path) -> str:
    """Puts it into the file store; its hash."""
    data = clip.read_bytes()
    begun = begin(client, data)
    for offset in range(0, len(data), _PIECE):
        answer = send(client, begun["id"], offset, data[offset : offset + _PIECE])
        if not answer.ok:
            raise SystemExit(answer.text)
    return str(answer.json()["file"]["sha256"])


if __name__ == "__main__":
    raise SystemExit(main())
