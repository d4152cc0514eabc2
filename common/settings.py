"""From a scenario and parameters to the exact encode: pure, used on both sides.

The master resolves the settings to refuse what cannot work before it is queued;
the agent resolves the same settings to build ffmpeg's command line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.model import Scalar
from common.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class Codec:
    """What we know of one codec and its software encoder."""

    encoder: str
    presets: tuple[str, ...]
    """Allowed presets, fastest first."""
    preset: str
    """The default preset."""
    max_crf: int
    container: str
    """The file's suffix, which is also its format."""
    pixel_formats: tuple[str, ...]
    audio: tuple[str, ...]
    """Audio codecs that the container takes: none, then the usual one."""


_X26X = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_8_AND_10_BIT = ("yuv420p", "yuv420p10le")

CODECS: dict[str, Codec] = {
    "h264": Codec("libx264", _X26X, "veryfast", 51, "mp4",
                  (*_8_AND_10_BIT, "yuv422p", "yuv444p"), ("none", "aac", "opus")),
    "h265": Codec("libx265", _X26X, "superfast", 51, "mp4",
                  (*_8_AND_10_BIT, "yuv422p", "yuv444p"), ("none", "aac", "opus")),
    "vp9": Codec("libvpx-vp9", tuple(str(n) for n in range(8, -1, -1)), "8", 63, "webm",
                 _8_AND_10_BIT, ("none", "opus")),
    "av1": Codec("libsvtav1", tuple(str(n) for n in range(13, -1, -1)), "10", 63, "mp4",
                 _8_AND_10_BIT, ("none", "aac", "opus")),
}  # fmt: skip

MIN_AV1_SIZE = 64
"""Pixels: SVT-AV1 refuses smaller pictures."""
MAX_AV1_BITRATE = 100_000_000
"""Bits per second: SVT-AV1 refuses more."""
MAX_AV1_THREADS = 6
"""SVT-AV1 has levels of parallelism, 1 to 6, in place of a number of threads."""
MIN_BITRATE, MAX_BITRATE = 10_000, 500_000_000
BITRATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([kKmM]?)", re.ASCII)


class UnsuitableError(ValueError):
    """A parameter that does not fit the others; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of an input before it is encoded."""

    duration: float
    """Seconds, from the file's start to the end of its last picture."""
    audio: bool
    """Whether it has sound."""


@dataclass(frozen=True, slots=True)
class EncodeSettings:
    """Everything that decides the encode; nothing is left to ffmpeg's defaults."""

    width: int
    height: int
    fps: float
    duration: float
    """Seconds."""
    codec: str
    encoder: str
    preset: str
    bitrate: int | None
    """Bits per second; None with `crf`."""
    crf: float | None
    gop: int
    """Frames between key frames at most."""
    pixel_format: str
    threads: int | None
    """None: the encoder decides."""
    audio: str
    """`none`, `aac` or `opus`."""
    container: str

    @property
    def frames(self) -> int:
        """How many frames the output must have: the duration to the nearest frame, one at least."""
        return max(1, round(self.duration * self.fps))


def parse_bitrate(text: str) -> int:
    """Bits per second from `5000k`, `2.5M` or `800000`; ValueError if it is none."""
    match = BITRATE.fullmatch(text)
    if not match:
        raise ValueError("a bitrate is a number of bits per second, as in 5000k or 2.5M")
    value = round(float(match[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2].lower()])
    if not MIN_BITRATE <= value <= MAX_BITRATE:
        raise ValueError("a bitrate is between 10k and 500M")
    return value


def resolve(
    scenario: Scenario, parameters: Mapping[str, Scalar], source: Source | None = None
) -> EncodeSettings:
    """The exact encode; `UnsuitableError` where two parameters contradict each other.

    Of a `source` all is encoded with its sound, where the parameters ask for nothing else.
    The parameters have passed `common.schema.ParametersSchema`: types and ranges hold.
    """
    given: dict[str, Any] = dict(parameters)
    codec_name = given.get("codec", scenario.codec)
    codec = CODECS[codec_name]
    crf = given.get("crf")
    if crf is not None and "bitrate" in given:
        raise UnsuitableError("crf", "give either crf or bitrate, not both")
    if crf is not None and crf > codec.max_crf:
        raise UnsuitableError("crf", f"crf of {codec_name} is between 0 and {codec.max_crf}")
    fps = float(given.get("fps", scenario.fps))
    duration, audio = float(given.get("duration", scenario.duration)), given.get("audio", "none")
    if source is not None:
        duration = min(float(given.get("duration", source.duration)), source.duration)
        audio = given.get("audio", codec.audio[1]) if source.audio else "none"
    settings = EncodeSettings(
        width=given.get("width", scenario.width),
        height=given.get("height", scenario.height),
        fps=fps,
        duration=duration,
        codec=codec_name,
        encoder=codec.encoder,
        preset=given.get("preset", codec.preset),
        bitrate=None if crf is not None else parse_bitrate(str(given.get("bitrate", scenario.bitrate))),
        crf=None if crf is None else float(crf),
        gop=given.get("gop", max(1, round(2 * fps))),
        pixel_format=given.get("pixel_format", "yuv420p"),
        threads=given.get("threads"),
        audio=audio,
        container=codec.container,
    )
    _check(settings, codec)
    return settings


def _check(settings: EncodeSettings, codec: Codec) -> None:
    for name, value, allowed in (
        ("preset", settings.preset, codec.presets),
        ("pixel_format", settings.pixel_format, codec.pixel_formats),
        ("audio", settings.audio, codec.audio),
    ):
        if value not in allowed:
            raise UnsuitableError(
                name, f"{name} {value!r} does not go with {settings.codec}; use one of: {', '.join(allowed)}"
            )
    if settings.codec == "av1":
        _check_av1(settings)
    if settings.duration * settings.fps < 1:
        raise UnsuitableError("duration", "the duration is shorter than one frame")


def _check_av1(settings: EncodeSettings) -> None:
    """What SVT-AV1 refuses, or takes for something else, when it is too late to say so."""
    if min(settings.width, settings.height) < MIN_AV1_SIZE:
        raise UnsuitableError("width", f"av1 needs at least {MIN_AV1_SIZE} pixels each way")
    if settings.crf is not None and settings.crf < 1:
        raise UnsuitableError("crf", "crf of av1 is between 1 and 63")
    if settings.gop < 2:
        raise UnsuitableError("gop", "av1 needs a gop of 2 or more")
    if settings.bitrate is not None and settings.bitrate > MAX_AV1_BITRATE:
        raise UnsuitableError("bitrate", "a bitrate of av1 is at most 100M")
    if settings.threads is not None and settings.threads > MAX_AV1_THREADS:
        raise UnsuitableError("threads", f"av1 has {MAX_AV1_THREADS} levels of parallelism; use 1 to 6")
