"""Whether reported numbers are true: each is compared with a second measurement of the same run.

    python bench/truth.py                  (make truth)
    python bench/truth.py --seconds 30 --only h264 --only vfr
    python bench/truth.py --file film.mkv  (8 bits, 4:2:0, upright, square pixels, progressive)

A real master and a real agent encode in several ways. The agent's ffmpeg is wrapped in GNU time,
whose figures come with the job's log; the file is decoded and its packets are listed by another ffmpeg
(`bench/second_look.py`), and its quality is measured by a command line of its own
(`bench/second_quality.py`). Energy and cost are estimated by the agent, by a power model, and worked out
again from GNU time's seconds. Where perf can read the processor's counter of joules, `--energy`
compares these; it needs a machine that does nothing else, and no sandbox.

Exit status 0 only if no number is off by 1 % or more (VMAF by more than 0.1), and none is missing that
was promised. Frames, bytes and runs must be equal.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
from rich.console import Console
from rich.table import Table

from bench import second_look, truth_rows
from bench.second_look import Looked
from bench.second_quality import quality
from bench.truth_rows import Row
from tests.masters import Client, start_master
from tests.system.farm import HERE, Agent, job_is

METHODS = ("vmaf", "psnr", "ssim", "xpsnr")
SIZE = (640, 360)
"""Pixels, of the clips and of the picture that is made."""
RATE = 1_500_000
CLIP, VARIABLE = "clip.mkv", "variable.mkv"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to encode."""

    parameters: Mapping[str, Any]
    clip: str | None = CLIP
    """None: a picture that ffmpeg makes."""
    confidence: str = "auto"
    longer: float = 1.0
    """More of the picture than of the clip, where the encode would be over too soon."""


WAYS: dict[str, Way] = {
    "h264": Way({"codec": "h264", "preset": "slow", "bitrate": RATE}),
    "h264-scaled": Way({"codec": "h264", "preset": "veryslow", "crf": 23, "width": 480, "height": 270}),
    "h264-capped": Way({"codec": "h264", "preset": "slower", "crf": 20, "maxrate": RATE}),
    "h265": Way({"codec": "h265", "preset": "medium", "bitrate": RATE}),
    "vp9-two-pass": Way({"codec": "vp9", "preset": "5", "bitrate": RATE, "two_pass": True}),
    "av1": Way({"codec": "av1", "preset": "6", "crf": 35}),
    "vfr": Way({"codec": "h264", "preset": "veryslow", "bitrate": RATE}, clip=VARIABLE),
    "target-vmaf": Way({"codec": "h264", "preset": "slow", "target_vmaf": 93}),
    "complex": Way(
        {
            "codec": "h264",
            "preset": "medium",
            "bitrate": RATE,
            "content": "complex",
            "width": 640,
            "height": 360,
        },
        clip=None,
        longer=2.0,
    ),
    "repeated": Way({"codec": "h264", "preset": "medium", "bitrate": RATE}, confidence="low"),
}
"""Slow enough that the hundredths of a second of GNU time and what it takes itself are far below 1 %."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the master has of a job that ended."""

    metrics: Mapping[str, Any]
    log: Sequence[str]
    repeats: Sequence[Mapping[str, Any]] = ()
    probes: Sequence[Mapping[str, Any]] = ()
    warnings: Sequence[str] = ()


@dataclass(slots=True)
class Bench:
    """Where all of it happens."""

    folder: Path
    ffmpeg: Path
    seconds: float
    clips: Path = field(init=False)

    def __post_init__(self) -> None:
        """Make the clips."""
        self.clips = self.folder / "clips"
        self.clips.mkdir()
        clip = second_look.make_clip(self.ffmpeg, self.clips / CLIP, self.seconds)
        second_look.make_variable(self.ffmpeg, self.clips / VARIABLE, clip)

    def reference(self, way: Way, frames: int) -> Path:
        """What was encoded."""
        if way.clip is not None:
            return self.clips / way.clip
        raw = next((self.folder / "worker").rglob("complex.yuv"))
        size = ":".join(map(str, SIZE))
        return second_look.make_complex(self.ffmpeg, self.folder / "complex.mkv", raw, size, frames)

    def rows(self, way: Way, result: Result) -> list[Row]:
        """Every number of a result, twice."""
        metrics, output = result.metrics, Path(result.metrics["output_path"])
        runs = second_look.timed(result.log)
        file = second_look.look(self.ffmpeg, output)
        clip = self.reference(way, file.frames)
        source = second_look.look(self.ffmpeg, clip)
        seen = quality(self.ffmpeg, output, clip, file.times, self._larger(way, metrics))
        wanted = way.parameters.get("target_vmaf")
        if wanted is not None:
            runs = truth_rows.kept(metrics, result.probes, runs)
        rows = truth_rows.compared(metrics, runs, file, seen)
        if way.clip is not None:
            rows += _source(metrics, source)
        if wanted is not None:
            rows += truth_rows.target(metrics, wanted, result.probes, seen)
        if way.confidence != "auto":
            rows += truth_rows.repeated(metrics, result.repeats, runs)
        return rows

    def _larger(self, way: Way, metrics: Mapping[str, Any]) -> tuple[int, int] | None:
        """The source's size, if the output has another one."""
        if way.clip is None:
            return None
        source = (metrics["source_width"], metrics["source_height"])
        return None if source == (metrics["width"], metrics["height"]) else source


def _source(metrics: Mapping[str, Any], source: Looked) -> list[Row]:
    return [
        Row("source_frames", metrics["source_frames"], source.frames, "decoded and counted"),
        Row("source_duration", metrics["source_duration"], source.duration, "packets"),
    ]


@contextmanager
def farm(folder: Path, ffmpeg: Path, clips: Path, sandbox: str) -> Iterator[tuple[Client, Agent]]:
    """A master and an agent, whose ffmpeg is `ffmpeg`."""
    master = start_master(folder / "master")
    real = Path(imageio_ffmpeg.get_ffmpeg_exe())
    flags = [f"--master={master.url}", "--register", *HERE, f"--ffmpeg={ffmpeg}", f"--sandbox={sandbox}"]
    flags += [f"--media-root=truth={clips}", "--max-concurrent-jobs=1"]
    flags += [f"--power-model=idle={truth_rows.IDLE_WATTS:g},per_core={truth_rows.CORE_WATTS:g}"]
    flags += [f"--price-per-kwh={truth_rows.PER_KWH:.2f}", f"--price-per-hour={truth_rows.PER_HOUR:.2f}"]
    # What is on this path can be seen in the sandbox: the real ffmpeg, which ours calls.
    agent = Agent(folder / "worker", [*flags, "--currency=EUR"], {"LD_LIBRARY_PATH": str(real.parent)})
    try:
        agent.says("Registered with", 120)
        with master.client() as client:
            yield client, agent
    finally:
        agent.kill()
        master.stop()


def encode(client: Client, way: Way, seconds: float, *, energy: bool) -> Result:
    """Encodes, and waits for the end."""
    parameters = {**way.parameters, "quality": list(METHODS), "audio": "none"}
    if way.clip is None:
        parameters["duration"] = seconds * way.longer
    if energy:
        parameters["energy"] = True
    job = {"scenario": "480p-h264", "parameters": parameters, "confidence": way.confidence}
    if way.clip is not None:
        job["input"] = f"media:truth/{way.clip}"
    answer = client.post("/jobs", json=job)
    if not answer.ok:
        raise SystemExit(f"the master refused the job: {answer.text}")
    job_id = answer.json()["id"]
    job_is(client, job_id, "completed", seconds=1800)
    found = client.get(f"/jobs/{job_id}/result").json()
    log = client.get(f"/jobs/{job_id}/logs").json()["lines"]
    return Result(found["metrics"], log, found["repeats"], found["probes"], found["warnings"])


def shown(way: str, rows: Sequence[Row]) -> Table:
    """The table of one encode."""
    table = Table(title=way, title_justify="left", box=None, pad_edge=False)
    for name in ("METRIC", "REPORTED", "MEASURED", "BY", "DIFFERENCE", ""):
        table.add_column(name, justify="right" if name in ("REPORTED", "MEASURED", "DIFFERENCE") else "left")
    words = {True: "[green]true[/green]", False: "[red]FALSE[/red]", None: "not measured"}
    for row in rows:
        unit = " %" if row.allowed is None else ""
        off = "–" if row.difference is None else f"{row.difference:+.3f}{unit}"
        name = row.metric.replace("[", r"\[")
        table.add_row(name, number(row.reported), number(row.measured), row.by, off, words[row.good])
    return table


def number(value: float | None) -> str:
    """Digits enough to see a difference."""
    if value is None:
        return "–"
    if 0 < abs(value) < 0.01:
        return f"{value:.4g}"
    return f"{float(value):,.4f}".rstrip("0").rstrip(".")


def worst(rows: Sequence[Row]) -> str:
    """What is farthest off: in per cent, and of VMAF."""
    said = []
    for unit, some in (
        (" %", [row for row in rows if row.allowed is None]),
        ("", [row for row in rows if row.metric.startswith("vmaf")]),
    ):
        known = [(abs(row.difference), row) for row in some if row.difference is not None]
        if known:
            off, row = max(known, key=lambda pair: pair[0])
            said.append(f"{row.metric} {off:.3f}{unit}")
    return ", ".join(said)


def arguments_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds of video in the clip")
    parser.add_argument("--only", action="append", choices=list(WAYS), help="this encode; may be repeated")
    parser.add_argument("--file", type=Path, help="encode this video instead of the clip that is made")
    parser.add_argument("--energy", action="store_true", help="compare joules with perf's; without a sandbox")
    parser.add_argument("--sandbox", choices=("auto", "required", "off"), default="auto")
    asked = parser.parse_args(arguments)
    if asked.file is not None and not asked.file.is_file():
        parser.error(f"there is no file {asked.file}")
    if not 1 <= asked.seconds <= 3600:
        parser.error("--seconds is from 1 to 3600")
    return asked


def main(arguments: Sequence[str] | None = None) -> int:
    """Encode, compare, print; the exit status."""
    asked = arguments_of(arguments)
    console = Console(width=120)
    if asked.energy and not second_look.can_read_energy():
        console.print("perf cannot read power/energy-pkg/ here: there is nothing to compare joules with.")
        asked.energy = False
    real = Path(imageio_ffmpeg.get_ffmpeg_exe())
    every: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="ffrtmp-truth-") as name:
        bench = Bench(Path(name), real, asked.seconds)
        if asked.file is not None:
            shutil.copyfile(asked.file, bench.clips / CLIP)
        wrapper = second_look.write_wrapper(bench.folder / "ffmpeg", real, energy=asked.energy)
        sandbox = "off" if asked.energy else asked.sandbox
        with farm(bench.folder, wrapper, bench.clips, sandbox) as (client, _):
            for way in asked.only or WAYS:
                result = encode(client, WAYS[way], asked.seconds, energy=asked.energy)
                rows = bench.rows(WAYS[way], result)
                console.print(
                    shown(way, rows), *(f"warning: {text}" for text in result.warnings), "", sep="\n"
                )
                every += rows
    bad = sum(row.good is False for row in every)
    compared = sum(row.good is not None for row in every)
    verdict = "all are true" if not bad else f"{bad} are not true"
    console.print(f"{compared} numbers were measured twice: {verdict}. Farthest off: {worst(every)}.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
