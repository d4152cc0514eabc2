"""Whether reported numbers are true: each is compared with a second measurement of the same run.

    python bench/truth.py                  (make truth)
    python bench/truth.py --seconds 30 --only h264-bitrate

A real master and a real agent encode a clip in several ways. The agent's ffmpeg is wrapped in GNU time,
whose figures come with the job's log; the file is decoded and its packets are listed by another ffmpeg,
which measures the quality too (`bench/second_look.py`). Where perf can read the processor's counter of
joules, `--energy` compares these; it needs a machine that does nothing else, and no sandbox.

Exit status 0 only if no number is off by 1 % or more (VMAF by 0.1), and none is missing that every
result has. Frames and bytes must be equal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
from rich.console import Console
from rich.table import Table

from bench import second_look
from tests.masters import Client, start_master
from tests.system.farm import HERE, Agent, job_is

PERCENT = 1.0
VMAF = 0.1
"""How far VMAF may be off, in points."""
QUALITIES = ("vmaf_mean", "psnr_mean", "ssim_mean")
RATE = 1_500_000
WAYS: dict[str, dict[str, Any]] = {
    "h264-bitrate": {"codec": "h264", "preset": "slow", "bitrate": RATE},
    "h264-crf": {"codec": "h264", "preset": "veryslow", "crf": 23},
    "h265": {"codec": "h265", "preset": "fast", "bitrate": RATE},
    "vp9": {"codec": "vp9", "preset": "5", "bitrate": RATE},
    "av1": {"codec": "av1", "preset": "7", "crf": 35},
    "repeated": {"codec": "h264", "preset": "medium", "bitrate": RATE},
}
"""Slow enough that the hundredths of a second of GNU time and what it takes itself are far below 1 %."""


@dataclass(frozen=True, slots=True)
class Row:
    """One number, twice."""

    metric: str
    reported: float | None
    measured: float | None
    by: str
    needed: bool = True
    """Whether it may be missing in the report."""

    @property
    def difference(self) -> float | None:
        """In per cent of what was measured, VMAF in points; None if there are no two numbers."""
        if self.reported is None or self.measured is None:
            return None
        off = self.reported - self.measured
        if self.metric.startswith("vmaf"):
            return off
        return 0.0 if off == 0 else 100 * off / self.measured if self.measured else float("inf")

    @property
    def good(self) -> bool | None:
        """Whether both agree; None if there is nothing to compare and nothing was promised."""
        off = self.difference
        if off is None:
            return False if self.needed else None
        if self.metric in ("frames", "output_bytes"):
            return off == 0
        return abs(off) < (VMAF if self.metric.startswith("vmaf") else PERCENT)


def compared(
    metrics: dict[str, Any],
    runs: Sequence[second_look.Timed],
    file: second_look.Looked,
    quality: dict[str, float],
) -> list[Row]:
    """Every number that was measured twice. Of several encodes means are compared, but the memory's peak."""
    if not runs:
        wall = cpu = memory = joules = None
    else:
        wall, cpu = fmean(r.wall_seconds for r in runs), fmean(r.cpu_seconds for r in runs)
        memory = float(max(r.peak_memory_bytes for r in runs))
        known = [r.joules for r in runs if r.joules is not None]
        joules = fmean(known) if known else None
    speeds = [file.duration / r.wall_seconds for r in runs if r.wall_seconds]
    rows = [
        Row("frames", metrics["frames"], file.frames, "decoded and counted"),
        Row("duration", metrics["duration"], file.duration, "packets"),
        Row("bitrate", metrics["bitrate"], file.bitrate, "packets"),
        Row("output_bytes", metrics["output_bytes"], file.size, "stat"),
        Row("wall_seconds", metrics["wall_seconds"], wall, "GNU time"),
        Row("cpu_seconds", metrics["cpu_seconds"], cpu, "GNU time"),
        Row("peak_memory_bytes", metrics["peak_memory_bytes"], memory, "GNU time"),
        Row("speed", metrics["speed"], fmean(speeds) if speeds else None, "packets, GNU time"),
        Row("runs", metrics["runs"], len(runs) or None, "ffmpegs counted"),
    ]
    rows += [
        Row(name, metrics.get(name), quality.get(name), "a second run", needed=False) for name in QUALITIES
    ]
    return [*rows, Row("energy_joules", metrics.get("energy_joules"), joules, "perf", needed=False)]


@contextmanager
def farm(folder: Path, ffmpeg: Path, clips: Path, sandbox: str) -> Iterator[tuple[Client, Agent]]:
    """A master and an agent, whose ffmpeg is `ffmpeg`."""
    master = start_master(folder / "master")
    real = Path(imageio_ffmpeg.get_ffmpeg_exe())
    flags = [f"--master={master.url}", "--register", *HERE, f"--ffmpeg={ffmpeg}", f"--sandbox={sandbox}"]
    flags += [f"--media-root=truth={clips}", "--max-concurrent-jobs=1"]
    # What is on this path can be seen in the sandbox: the real ffmpeg, which ours calls.
    agent = Agent(folder / "worker", flags, {"LD_LIBRARY_PATH": str(real.parent)})
    try:
        agent.says("Registered with", 120)
        with master.client() as client:
            yield client, agent
    finally:
        agent.kill()
        master.stop()


def encode(client: Client, way: str, *, energy: bool) -> tuple[dict[str, Any], list[str]]:
    """The metrics of an encode, and its log."""
    parameters = {**WAYS[way], "quality": ["vmaf", "psnr", "ssim"], "audio": "none"}
    if energy:
        parameters["energy"] = True
    job = {
        "scenario": "480p-h264",
        "input": "media:truth/clip.mkv",
        "parameters": {**parameters, "width": 640, "height": 360},
        "confidence": "low" if way == "repeated" else "auto",
    }
    answer = client.post("/jobs", json=job)
    answer.raise_for_status()
    job_id = answer.json()["id"]
    job_is(client, job_id, "completed", seconds=1800)
    metrics = client.get(f"/jobs/{job_id}/result").json()["metrics"]
    return metrics, client.get(f"/jobs/{job_id}/logs").json()["lines"]


def shown(way: str, rows: Sequence[Row]) -> Table:
    """The table of one encode."""
    table = Table(title=way, title_justify="left", box=None, pad_edge=False)
    for name in ("METRIC", "REPORTED", "MEASURED", "BY", "DIFFERENCE", ""):
        table.add_column(name, justify="right" if name in ("REPORTED", "MEASURED", "DIFFERENCE") else "left")
    words = {True: "[green]true[/green]", False: "[red]FALSE[/red]", None: "not measured"}
    for row in rows:
        unit = "" if row.metric.startswith("vmaf") else " %"
        off = "–" if row.difference is None else f"{row.difference:+.3f}{unit}"
        table.add_row(row.metric, number(row.reported), number(row.measured), row.by, off, words[row.good])
    return table


def number(value: float | None) -> str:
    """Digits enough to see a difference."""
    return "–" if value is None else f"{value:,.4f}".rstrip("0").rstrip(".")


def main(arguments: Sequence[str] | None = None) -> int:
    """Encode, compare, print; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="seconds of video in the clip")
    parser.add_argument("--only", action="append", choices=list(WAYS), help="this encode; may be repeated")
    parser.add_argument("--energy", action="store_true", help="compare joules with perf's; without a sandbox")
    parser.add_argument("--sandbox", choices=("auto", "required", "off"), default="auto")
    asked = parser.parse_args(arguments)
    console = Console(width=110)
    if asked.energy and not second_look.can_read_energy():
        console.print("perf cannot read power/energy-pkg/ here: there is nothing to compare joules with.")
        asked.energy = False
    real = Path(imageio_ffmpeg.get_ffmpeg_exe())
    bad = compared_numbers = 0
    with tempfile.TemporaryDirectory(prefix="ffrtmp-truth-") as name:
        folder = Path(name)
        wrapper = second_look.write_wrapper(folder / "ffmpeg", real, energy=asked.energy)
        (folder / "clips").mkdir()
        clip = second_look.make_clip(real, folder / "clips/clip.mkv", asked.seconds)
        sandbox = "off" if asked.energy else asked.sandbox
        with farm(folder, wrapper, folder / "clips", sandbox) as (client, _):
            for way in asked.only or WAYS:
                metrics, log = encode(client, way, energy=asked.energy)
                output = Path(metrics["output_path"])
                rows = compared(
                    metrics,
                    second_look.timed(log),
                    second_look.look(real, output),
                    second_look.quality(real, output, clip),
                )
                console.print(shown(way, rows), "")
                bad += sum(row.good is False for row in rows)
                compared_numbers += sum(row.good is not None for row in rows)
    verdict = "all are true" if not bad else f"{bad} are not true"
    console.print(f"{compared_numbers} numbers were measured twice: {verdict}.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
