"""The metrics of a result: what each one is, in which unit, and how it was obtained.

Unknown is None, for every metric. Agents of other makers may report further ones.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from common.model import Scalar
from common.settings import EncodeSettings


@dataclass(frozen=True, slots=True)
class Metric:
    """One number (or text) of a result."""

    name: str
    type: type[int] | type[float] | type[str] | type[bool]
    unit: str | None
    """None for a text or a plain count."""
    source: str
    """How it was obtained."""
    always: bool = True
    """Whether every result has it, null if it is unknown; else only those that it says something of."""


_PROBE = "probe of the output"
_WAIT4 = "wait4 of the ffmpeg process"
_BOTH = "; of two passes the"
_CLOCK = "monotonic clock, from the start of ffmpeg to its end; of two passes the sum"

_MEAN = "mean of the runs"
_MOST = "the highest of the runs"
_INPUT = "probe of the input"
_STATISTICS = {
    "mean": "mean over all frames",
    "harmonic_mean": "harmonic mean over all frames",
    "p1": "1st percentile of all frames",
    "worst_second": "the lowest mean of a second",
}


def _quality() -> list[Metric]:
    """Of the output against the input, at the input's size, frame by frame."""
    units = {"vmaf": None, "psnr": "dB", "ssim": None, "xpsnr": "dB"}
    return [
        Metric(f"{name}_{statistic}", float, unit, f"ffmpeg's {name} against the input: {what}", always=False)
        for name, unit in units.items()
        for statistic, what in _STATISTICS.items()
    ]


_METRICS = (
    Metric("frames", int, None, f"{_PROBE}: pictures counted"),
    Metric("duration", float, "s", _PROBE),
    Metric("fps", float, "frames/s", f"frames / wall_seconds; {_MEAN}"),
    Metric("speed", float, "s/s", f"duration / wall_seconds; {_MEAN}"),
    Metric("bitrate_asked", int, "bit/s", "request"),
    Metric("bitrate", float, "bit/s", f"{_PROBE}: bytes of the video stream / duration"),
    Metric("output_bytes", int, "byte", f"{_PROBE}: size of the file"),
    Metric("output_path", str, None, "agent: the file on the node"),
    Metric("cpu_seconds", float, "s", f"{_WAIT4}{_BOTH} sum; {_MEAN}"),
    Metric(
        "peak_memory_bytes",
        int,
        "byte",
        f"{_WAIT4}{_BOTH} larger; /proc while it ran, if the agent is larger; {_MOST}",
    ),
    Metric("wall_seconds", float, "s", f"{_CLOCK}; {_MEAN}"),
    Metric("width", int, "pixel", _PROBE),
    Metric("height", int, "pixel", _PROBE),
    Metric("frame_rate", float, "frames/s", _PROBE),
    Metric("codec", str, None, _PROBE),
    Metric("pixel_format", str, None, _PROBE),
    Metric("encoder", str, None, "request; with `hwaccel: auto`, what the node has"),
    Metric("preset", str, None, "request; of a hardware encoder, the nearest of its own"),
    Metric("ffmpeg_version", str, None, "ffmpeg -version"),
    Metric("command", str, None, f"agent: the command line, quoted for a shell{_BOTH} second"),
    Metric("runs", int, None, "agent: encodes that were measured; the output is that of the last one"),
    Metric("crf", float, None, "request, or found by the search for target_vmaf", always=False),
    Metric("crf_min", float, None, "the lowest of the chunks, where each has its own", always=False),
    Metric("crf_max", float, None, "the highest of the chunks, where each has its own", always=False),
    Metric("passes", int, None, "request"),
    Metric("chunks", int, None, "master: chunks that the file was encoded in", always=False),
    Metric("split_note", str, None, "master: why it was not encoded in chunks, as was asked", always=False),
    Metric(
        "hardness",
        float,
        "bit",
        "a first pass over a chunk: bits of its frames at one quantizer",
        always=False,
    ),
    Metric(
        "hardness_by_second",
        str,
        None,
        "the same, of each second or so: bits of texture, of motion, and others",
        always=False,
    ),
    Metric(
        "target_reached",
        bool,
        None,
        "agent: vmaf_mean of the whole file is within 1 of target_vmaf",
        always=False,
    ),
    *_quality(),
    Metric("vmaf_model", str, None, "agent: Netflix' model for a picture of the input's size", always=False),
    Metric("energy_joules", float, "J", f"energy_source, over exactly the encode; {_MEAN}"),
    Metric("energy_idle_joules", float, "J", f"power of the idle node * wall_seconds; {_MEAN}"),
    Metric("energy_net_joules", float, "J", "energy_joules - energy_idle_joules"),
    Metric("energy_source", str, None, "agent: what it was read from; `model`: it is an estimate"),
    Metric("energy_note", str, None, "agent: how the energy was obtained, or why it is not known"),
    Metric("cost", float, None, "cost_basis", always=False),
    Metric("currency", str, None, "agent: --currency", always=False),
    Metric("cost_basis", str, None, "agent: the formula and its prices", always=False),
    Metric(
        "speed_low", float, "s/s", "95 % confidence interval of the mean speed (Student's t)", always=False
    ),
    Metric(
        "speed_high", float, "s/s", "95 % confidence interval of the mean speed (Student's t)", always=False
    ),
    Metric(
        "interval_reached", bool, None, "agent: the interval is as narrow as `confidence` asked", always=False
    ),
    Metric("dropped_frames", int, None, "agent: frames encoded - frames that the server took", always=False),
    Metric("reconnects", int, None, "agent: connections to the server after the first", always=False),
    Metric(
        "bitrate_deviation",
        float,
        "bit/s",
        "standard deviation of the bitrate of whole seconds",
        always=False,
    ),
    Metric("bitrate_min_second", float, "bit/s", "the whole second with the fewest bits", always=False),
    Metric("bitrate_max_second", float, "bit/s", "the whole second with the most bits", always=False),
    Metric("source_frames", int, None, f"{_INPUT}: pictures counted", always=False),
    Metric("source_width", int, "pixel", _INPUT, always=False),
    Metric("source_height", int, "pixel", _INPUT, always=False),
    Metric("source_codec", str, None, _INPUT, always=False),
    Metric("source_pixel_format", str, None, _INPUT, always=False),
    Metric("source_frame_rate", float, "frames/s", _INPUT, always=False),
    Metric("source_duration", float, "s", _INPUT, always=False),
    Metric("shown_width", int, "pixel", f"{_INPUT}: upright, its pixels square", always=False),
    Metric("shown_height", int, "pixel", f"{_INPUT}: upright, its pixels square", always=False),
    Metric("codecs", str, None, "agent: the heads of the files that were made (RFC 6381)", always=False),
    Metric("peak_bitrate", int, "bit/s", "pieces of the stream: the most of a target duration", always=False),
    Metric("average_bitrate", int, "bit/s", "pieces of the stream: all bytes / all seconds", always=False),
    Metric("audio_tracks", int, None, _PROBE, always=False),
    Metric("subtitle_tracks", int, None, _PROBE, always=False),
    Metric("loudness", float, "LUFS", "ffmpeg's ebur128 over the output", always=False),
)

_SIGNED = ("loudness", "energy_net_joules")
"""What may be below zero: decibels, and what is left of little energy after much of it at rest."""

METRICS: dict[str, Metric] = {metric.name: metric for metric in _METRICS}


class Probed(Protocol):
    """What is used of a probe of the output (`agent.probe.Probe`)."""

    @property
    def frames(self) -> int: ...  # noqa: D102 - the table above explains each of them
    @property
    def duration(self) -> float: ...  # noqa: D102 - as above
    @property
    def bitrate(self) -> float | None: ...  # noqa: D102 - as above
    @property
    def size(self) -> int: ...  # noqa: D102 - as above
    @property
    def width(self) -> int: ...  # noqa: D102 - as above
    @property
    def height(self) -> int: ...  # noqa: D102 - as above
    @property
    def frame_rate(self) -> float | None: ...  # noqa: D102 - as above
    @property
    def codec(self) -> str: ...  # noqa: D102 - as above
    @property
    def pixel_format(self) -> str | None: ...  # noqa: D102 - as above


def metrics(
    settings: EncodeSettings,
    *,
    command: Sequence[str] | None = None,
    ffmpeg_version: str | None = None,
    wall_seconds: float | None = None,
    cpu_seconds: float | None = None,
    peak_memory_bytes: int | None = None,
    probed: Probed | None = None,
    output_path: str | None = None,
    more: Mapping[str, Scalar] | None = None,
) -> dict[str, Scalar]:
    """The metrics that every result has, from what is known; the rest is None.

    Rates are to six decimals: a slow encode's speed is a small number.

    `more`: further ones by name, which win.
    """

    def per_second(amount: float | None) -> float | None:
        return round(amount / wall_seconds, 6) if amount is not None and wall_seconds else None

    return {
        **dict.fromkeys(name for name, metric in METRICS.items() if metric.always),
        "frames": probed.frames if probed else None,
        "duration": probed.duration if probed else None,
        "fps": per_second(probed.frames if probed else None),
        "speed": per_second(probed.duration if probed else None),
        "bitrate_asked": settings.rate.bitrate,
        "bitrate": probed.bitrate if probed else None,
        "output_bytes": probed.size if probed else None,
        "output_path": output_path,
        "cpu_seconds": cpu_seconds,
        "peak_memory_bytes": peak_memory_bytes,
        "wall_seconds": None if wall_seconds is None else round(wall_seconds, 6),
        "width": probed.width if probed else None,
        "height": probed.height if probed else None,
        "frame_rate": probed.frame_rate if probed else None,
        "codec": probed.codec if probed else None,
        "pixel_format": probed.pixel_format if probed else None,
        "encoder": settings.encoder,
        "preset": settings.preset or None,
        "ffmpeg_version": ffmpeg_version,
        "command": shlex.join(command) if command is not None else None,
        "runs": 1,
        "passes": settings.rate.passes,
        **({} if settings.rate.crf is None else {"crf": settings.rate.crf}),
        **(more or {}),
    }


def check(name: str, value: object) -> str | None:
    """A sentence if `value` cannot be the metric `name`; None if it can.

    A metric that the table does not know may be any scalar.
    """
    if value is None:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return f"{name} must be a finite number or null"
    metric = METRICS.get(name)
    if metric is None:
        return (
            None
            if isinstance(value, str | int | float)
            else f"{name} must be a single value, not a list or object"
        )
    if metric.type is str:
        return None if isinstance(value, str) else f"{name} must be a text or null"
    if metric.type is bool:
        return None if isinstance(value, bool) else f"{name} must be true, false or null"
    whole = metric.type is int
    if isinstance(value, bool) or not isinstance(value, int | float) or (whole and value % 1):
        return f"{name} must be {'a whole number' if whole else 'a number'} or null"
    return f"{name} must not be negative" if value < 0 and name not in _SIGNED else None
