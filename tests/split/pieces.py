"""Makes chunks as nodes do, by ffmpeg directly, and has them joined."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from agent.chunks.facts import to_text
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.inputs.measured import MeasuredInput
from agent.inputs.rules import InputRules
from agent.publish.rules import OutputRules
from agent.runner import run_job
from agent.sandbox import Sandbox
from agent.task import Assignment, PartDone
from common.model import Artifact, ArtifactKind, Report, Stage, Value, Window
from common.source import Source
from tests.agent.conftest import measured
from tests.agent.media.clips import Clips

CLOSE = 0.0015
"""Seconds by which times may differ."""
LEAD, TAIL = 3, 3
"""Frames that a chunk has beyond its own."""
X264: tuple[str, ...] = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-threads", "1")
X264 = (*X264, "-x264-params", "stitchable=1")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "40", "-b:v", "0")
AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-crf", "50", "-svtav1-params", "lp=1")


@dataclass(frozen=True, slots=True)
class Farm:
    """One machine that does all: the media root `clips` takes the place of the file store."""

    clips: Clips
    toolbox: Toolbox
    spawner: Spawner
    work: Path
    sandbox: Sandbox

    def run(
        self, clip: Path, stage: Stage, output: str | None, parameters: Mapping[str, Value], **more: Any
    ) -> Report:
        """One attempt."""
        root = {"clips": self.clips.directory}
        assignment = Assignment(
            "job-1",
            "480p-h264",
            parameters,
            "lease-1",
            1,
            f"media:clips/{clip.name}",
            output,
            stage=stage,
            **more,
        )
        report = run_job(
            assignment,
            "node-1",
            self.toolbox,
            self.spawner,
            self.work,
            lambda _progress, _lines: None,
            threading.Event(),
            sandbox=self.sandbox,
            inputs=InputRules(root),
            outputs=OutputRules(root),
        )
        assert report is not None
        return report

    def whole(self, clip: Path, **parameters: Value) -> Path:
        """The same job, not split."""
        apart = replace(self, work=self.work.with_name("whole"))
        report = apart.run(clip, Stage.ENCODE, None, {"preset": "veryfast", **parameters})
        assert report.error is None, report.error
        return Path(str(report.metrics["output_path"]))

    def split(self, clip: Path, encoder: Sequence[str], cuts: Sequence[int], **parameters: Value) -> Path:
        """The same job, split at these frames."""
        given = {"preset": "veryfast", **parameters}
        beside = [self.sound(clip, given)] if parameters.pop("beside", True) else []
        parts = [
            self.chunk(clip, number, each, encoder) for number, each in enumerate(windows(clip, cuts), 1)
        ]
        report = self.joined(clip, [*beside, *parts], given)
        assert report.error is None, report.error
        return Path(str(report.metrics["output_path"]))

    def sound(self, clip: Path, parameters: Mapping[str, Value]) -> PartDone:
        """The part of all but the picture."""
        report = self.run(clip, Stage.SOUND, "media:clips/sound", {**parameters, "overwrite": True})
        assert report.error is None, report.error
        return PartDone("sound", "job-2", report.metrics, report.findings.artifacts, Stage.SOUND)

    def joined(
        self, clip: Path, parts: Sequence[PartDone], parameters: Mapping[str, Value], **more: Any
    ) -> Report:
        """The join of the parts."""
        source = more.pop("source", None) or facts(clip)
        output = more.pop("output", None)
        given = {"split": "auto", **parameters}
        return self.run(clip, Stage.JOIN, output, given, parts=tuple(parts), source=to_text(source), **more)

    def chunk(
        self, clip: Path, number: int, window: Window, encoder: Sequence[str], filters: str = ""
    ) -> PartDone:
        """The frames of one window, encoded."""
        name = f"chunk-{number:03}"
        base = Fraction(*window.time_base)
        first, end, lead, tail = window.ticks
        forced = [float((tick - lead) * base - base / 2) for tick in (first, end) if lead < tick < tail]
        steps = [*([filters] if filters else []), f"settb={base},trim=start_pts={lead}:end_pts={tail}"]
        graph = ",".join([*steps, f"setpts=PTS-{lead}"])
        force = ["-force_key_frames", ",".join(f"{time:.6f}" for time in forced)] if forced else []
        self.clips.make(
            f"{name}.mp4",
            # MPEG-TS begins where the first of the tracks begins that are used.
            *("-i", clip.name, "-map", "0:a?", "-c", "copy", "-f", "null", "-"),
            *("-map", "0:V:0", "-vf", graph, "-fps_mode", "passthrough"),
            *("-enc_time_base:v", "demux", "-flags", "+global_header", *encoder, *force),
            *("-video_track_timescale", str(window.time_base[1])),
        )
        location = f"media:clips/{name}.mp4"
        made = Artifact("chunk.mp4", ArtifactKind.INTERMEDIATE, "video/mp4", 1, "0" * 64, location)
        return PartDone(name, f"job-{name}", {}, (made,), Stage.CHUNK, window)


def facts(clip: Path) -> Source:
    """What a plan finds out of the whole input."""
    return MeasuredInput(-1, measured(clip)).source


def ticks_of(clip: Path) -> tuple[list[int], int, tuple[int, int]]:
    """When the frames of a clip are shown since its start, when the last one ends, and the time base."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        base = stream.time_base or Fraction(1)
        packets = [packet for packet in container.demux(stream) if packet.size and not packet.is_discard]
        start = round(Fraction(container.start_time or 0, av.time_base) / base)
        ticks = sorted(int(packet.pts or 0) - start for packet in packets)
        last = max(packets, key=lambda packet: packet.pts or 0)
        length = last.duration or round(1 / (stream.average_rate or Fraction(25)) / base)
        return ticks, ticks[-1] + int(length), (base.numerator, base.denominator)


def windows(clip: Path, cuts: Sequence[int], before: int = LEAD, behind: int = TAIL) -> list[Window]:
    """The windows between the frames `cuts`, with as many frames `before` and `behind`."""
    ticks, over, base = ticks_of(clip)
    at = [*ticks, over]
    edges = [0, *cuts, len(ticks)]
    found = []
    for first, end in pairwise(edges):
        lead, tail = max(0, first - before), min(len(ticks), end + behind)
        found.append(Window(first, end, lead, tail, (at[first], at[end], at[lead], at[tail]), base, 0.0))
    return found


def packets(path: Path, kind: str, number: int = 0) -> list[float]:
    """When the packets of a track are shown, in seconds, rising; of DASH, in the file that has it."""
    if path.suffix == ".mpd":
        path = path.with_name(f"{path.stem}-{0 if kind == 'video' else number + 1}.mp4")
        number = 0
    with av.open(str(path)) as container:
        stream = [stream for stream in container.streams if stream.type == kind][number]
        base = stream.time_base or Fraction(1)
        return sorted(float((p.pts or 0) * base) for p in container.demux(stream) if p.size)


def scores(path: Path, ticks: Sequence[int], **said: Any) -> None:
    """Write what a node says of the quality of its chunk."""
    path.write_text(
        json.dumps(
            {"format": 1, "ticks": list(ticks), "model": None, "notes": {}, "high_range": False, **said}
        )
    )


def with_scores(part: PartDone, name: str) -> PartDone:
    """The part with its scores, which are the file `name` in the media root."""
    made = Artifact(
        "scores.json", ArtifactKind.INTERMEDIATE, "application/json", 1, "0" * 64, f"media:clips/{name}"
    )
    return replace(part, artifacts=(*part.artifacts, made))


def decoded(path: Path) -> int:
    """How many frames can be decoded."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))
