"""From the record of a finished job to what is compared: which clip, which way of encoding it: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.scenarios import SCENARIOS
from common.settings import CODECS, parse_bitrate

Record = Mapping[str, Any]
"""A finished job as `source.record` makes it: what was asked for, where it ran, what came of it."""

_CLIP = ("width", "height", "fps", "duration", "content")
_RATE = ("bitrate", "crf", "target_vmaf", "maxrate", "two_pass")
# What is measured besides, and where outputs go, does not change the encode.
_NO_MATTER = ("quality", "energy", "overwrite", "pictures", "hwaccel")
_ENCODE = ("codec", "preset")


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """A way of encoding that is compared with others: all but the bitrate or quality that was asked for."""

    codec: str
    preset: str
    encoder: str
    """Empty: unknown."""
    other: str = ""
    """Further parameters that differ from the defaults, as `gop=30, threads=2`."""

    @property
    def label(self) -> str:
        """For people. A software encoder goes without saying."""
        usual = CODECS.get(self.codec)
        parts = [self.codec, self.preset]
        if self.encoder and (usual is None or self.encoder != usual.encoder):
            parts.append(self.encoder)
        if self.other:
            parts.append(self.other)
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Run:
    """One finished job, seen as a measurement."""

    job_id: str
    clip: str
    """What was encoded, and at which size: only the same clip can be compared."""
    series: Series
    rate: str
    """The bitrate or quality that was asked for: `2,000 kbit/s`, `CRF 23`, `VMAF 93`."""
    node: str
    metrics: Mapping[str, Any]
    repeats: Sequence[Mapping[str, Any]] = ()
    """What each encode measured, where the job made several."""


def run(record: Record) -> Run:
    """The record as a measurement. What nobody knows (of a scenario that is gone) is left empty."""
    asked: dict[str, Any] = dict(record["parameters"])
    metrics: Mapping[str, Any] = record["metrics"] or {}
    scenario = SCENARIOS.get(record["scenario"])
    codec = asked.get("codec") or (scenario.codec if scenario else metrics.get("codec")) or "?"
    usual = CODECS.get(codec)
    preset = metrics.get("preset") or asked.get("preset") or (usual.preset if usual else "")
    other = {
        name: value for name, value in asked.items() if name not in (*_CLIP, *_RATE, *_NO_MATTER, *_ENCODE)
    }
    return Run(
        job_id=record["job_id"],
        clip=_clip(record, asked, metrics),
        series=Series(codec, str(preset), str(metrics.get("encoder") or ""), _listed(other)),
        rate=_rate(record, asked),
        node=record["node"] or "",
        metrics=metrics,
        repeats=tuple(record["repeats"] or ()),
    )


def _clip(record: Record, asked: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """What was encoded. Codec, preset and rate are no part of it, so that they can be compared."""
    scenario = SCENARIOS.get(record["scenario"])
    width = asked.get("width") or metrics.get("width") or (scenario.width if scenario else None)
    height = asked.get("height") or metrics.get("height") or (scenario.height if scenario else None)
    fps, duration = asked.get("fps"), asked.get("duration")
    what = record["input"]
    if what is None:
        what = f"synthetic {asked.get('content', 'test')}"
        fps = fps or (scenario.fps if scenario else None)
        duration = duration or (scenario.duration if scenario else None)
    parts = [what, f"{width}×{height}" if width and height else None]
    parts += [f"{fps:g} fps" if fps else None, f"{duration:g} s" if duration else None]
    return ", ".join(part for part in parts if part)


def _rate(record: Record, asked: Mapping[str, Any]) -> str:
    parts = []
    if asked.get("target_vmaf") is not None:
        parts.append(f"VMAF {asked['target_vmaf']:g}")
    elif asked.get("crf") is not None:
        parts.append(f"CRF {asked['crf']:g}")
    else:
        scenario = SCENARIOS.get(record["scenario"])
        bitrate = asked.get("bitrate", scenario.bitrate if scenario else None)
        parts.append("" if bitrate is None else _kilobits(bitrate))
    if asked.get("maxrate") is not None:
        parts.append(f"at most {_kilobits(asked['maxrate'])}")
    if asked.get("two_pass"):
        parts.append("two passes")
    return ", ".join(part for part in parts if part)


def _kilobits(bitrate: str | int) -> str:
    try:
        return f"{parse_bitrate(str(bitrate)) / 1000:,.0f} kbit/s"
    except ValueError:
        return str(bitrate)


def _listed(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_written(value)}" for name, value in sorted(parameters.items()))


def _written(value: Any) -> str:
    """The same for a list from JSON and one from the memory."""
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
