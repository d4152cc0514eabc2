"""Makes clips, encodes them whole and in chunks with the agents' own code, and compares all with the clip."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import av

from agent.chunks import alike, plan
from agent.chunks.facts import from_text
from agent.task import PartDone
from bench.seam_scores import Scored
from common.model import Divisible, Stage, Value, Window
from master.chunking import windows
from tests.split.chunks import run_chunk
from tests.split.pieces import Farm

RATE = 30
"""Frames per second."""
_GRAIN = "noise=alls=6:allf=t"
_SCENES = (
    f"testsrc2=s={{size}}:r={RATE},{_GRAIN}",
    f"mandelbrot=s=240x135:r={RATE}:start_scale=0.9,scale={{size}},{_GRAIN}",
    f"gradients=s={{size}}:r={RATE}:speed=0.05:seed=7,{_GRAIN}",
    f"life=s=160x90:r={RATE}:mold=10:ratio=0.2:seed=7:death_color=#C83232:life_color=#00ff00,scale={{size}}",
)
_STILL = f"mandelbrot=s={{size}}:r={RATE},trim=end_frame=1,loop=-1:1,setpts=N/{RATE}/TB,noise=alls=3:allf=t"
CLIPS: Mapping[str, Sequence[str]] = {
    "scenes": _SCENES,
    "zoom": (_SCENES[1],),
    "still": (_STILL,),
}
"""By name, what follows each other: scenes, or one long shot."""


def make(folder: Path, ffmpeg: Path, name: str, size: str, seconds: float, scene: float) -> Path:
    """The clip; `scene`: how many seconds each scene lasts, where there are several."""
    kinds = CLIPS[name]
    count = max(len(kinds), round(seconds / scene)) if len(kinds) > 1 else 1
    inputs: list[str] = []
    for number in range(count):
        source = kinds[number % len(kinds)].format(size=size)
        inputs += ["-f", "lavfi", "-t", f"{seconds / count:.3f}", "-i", source]
    graph = "".join(f"[{n}:v]hue=h={37 * n},format=yuv420p,setsar=1[v{n}];" for n in range(count))
    graph += "".join(f"[v{n}]" for n in range(count)) + f"concat=n={count},fps={RATE}[v]"
    path = folder / f"{name}.mp4"
    argv = [str(ffmpeg), "-v", "error", *inputs, "-filter_complex", graph, "-map", "[v]", "-r", str(RATE)]
    argv += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-g", str(3 * RATE), "-y", str(path)]
    subprocess.run(argv, check=True)
    return path


@dataclass(frozen=True, slots=True)
class Lab:
    """One machine that encodes in both ways."""

    farm: Farm
    ffmpeg: Path
    known: dict[str, Scored] = field(default_factory=dict)
    """Of whole encodes, which many are compared with."""

    def whole(self, clip: Path, parameters: Mapping[str, Value]) -> Path:
        """The clip as one job makes it that is not split."""
        report = self.farm.run(clip, Stage.ENCODE, None, {"audio": "none", **parameters})
        return self._kept(report.error, report.metrics, "whole")

    def whole_scores(self, clip: Path, parameters: Mapping[str, Value]) -> Scored:
        """`scores` of that."""
        name = f"{clip} {sorted(parameters.items())}"
        if name not in self.known:
            self.known[name] = self.scores(self.whole(clip, parameters), clip)
        return self.known[name]

    def split(
        self, clip: Path, parameters: dict[str, Value], count: int, lead: int | None = None
    ) -> tuple[Path, list[Window]]:
        """The clip in about `count` chunks, joined, and their windows.

        `lead`: frames that encoders are shown before their chunk; None: as many as a plan has it.
        """
        given: dict[str, Value] = {"audio": "none", **parameters}
        found = self._plan(clip, {**given, "split": count}, lead)
        chosen = list(windows(found, count))
        parts: list[PartDone] = []
        if "bitrate" in parameters:
            parts = [
                self._part(clip, f"look-{number:03}", window, given, found, ())
                for number, window in enumerate(chosen, 1)
            ]
        chunks = [
            self._part(clip, f"chunk-{number:03}", window, given, found, parts)
            for number, window in enumerate(chosen, 1)
        ]
        report = self.farm.joined(clip, chunks, given, source=from_text(found.source))
        return self._kept(report.error, report.metrics, "split"), chosen

    def _plan(self, clip: Path, given: Mapping[str, Value], lead: int | None) -> Divisible:
        of_settings = alike.lead if lead is None else lambda _settings: lead
        with patch.object(plan, "lead", of_settings):
            report = self.farm.run(clip, Stage.PLAN, None, given)
        found = report.findings.divisible
        if found is None or found.reason is not None:
            raise SystemExit(f"{clip.name} cannot be divided: {report.error or (found and found.reason)}")
        return found

    def _part(
        self,
        clip: Path,
        name: str,
        window: Window,
        given: dict[str, Value],
        found: Divisible,
        parts: Sequence[PartDone],
    ) -> PartDone:
        stage = Stage.LOOK if name.startswith("look") else Stage.CHUNK
        report = run_chunk(
            self.farm, clip, name, window, given, stage=stage, source=found.source, parts=tuple(parts)
        )
        if report.error is not None:
            raise SystemExit(f"{name} of {clip.name}: {report.error}")
        return PartDone(name, f"job-{name}", report.metrics, report.findings.artifacts, stage, window)

    def _kept(self, error: object, metrics: Mapping[str, Value], name: str) -> Path:
        if error is not None:
            raise SystemExit(f"the {name} encode failed: {error}")
        made = Path(str(metrics["output_path"]))
        return made.rename(self.farm.work.parent / f"{name}{made.suffix}")

    def scores(self, made: Path, clip: Path) -> Scored:
        """What ffmpeg says of each frame of `made`, by its number."""
        log = made.with_name("scores.json")
        same = f"settb=1/{RATE},setpts=N,format=yuv420p"
        graph = f"[0:v]{same}[made];[1:v]{same}[clip];[made][clip]libvmaf=feature=name=psnr:n_threads=2"
        graph += f":log_fmt=json:log_path={log}"
        argv = [str(self.ffmpeg), "-v", "error", "-i", str(made), "-i", str(clip), "-lavfi", graph]
        subprocess.run([*argv, "-f", "null", "-"], check=True)
        frames = [each["metrics"] for each in json.loads(log.read_text())["frames"]]
        psnr, vmaf = ([each[name] for each in frames] for name in ("psnr_y", "vmaf"))
        return Scored(size_of(made), psnr, vmaf, keys_of(made))


def keys_of(path: Path) -> int:
    """How many key frames it has."""
    with av.open(str(path)) as container:
        return sum(packet.is_keyframe for packet in container.demux(video=0) if packet.size)


def size_of(path: Path) -> int:
    """Bytes of its picture."""
    with av.open(str(path)) as container:
        return sum(packet.size for packet in container.demux(video=0))
