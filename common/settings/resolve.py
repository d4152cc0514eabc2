"""From a scenario and parameters to the exact encode: pure, used on both sides.

The master resolves the settings to refuse what cannot work before it is queued;
the agent resolves the same settings to build ffmpeg's command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.model import Value
from common.scenarios import Scenario
from common.settings.codecs import CODECS, MAX_AV1_BITRATE, MAX_AV1_THREADS, MIN_AV1_SIZE
from common.settings.containers import CONTAINERS
from common.settings.encode import DEFAULT_AUDIO_BITRATE, DEFAULT_SEGMENT_SECONDS, EncodeSettings, Source
from common.settings.errors import UnsuitableError
from common.settings.rate import parse_bitrate, resolve_rate


def resolve(
    scenario: Scenario, parameters: Mapping[str, Value], source: Source | None = None
) -> EncodeSettings:
    """The exact encode; `UnsuitableError` where two parameters contradict each other.

    Of a `source` all is encoded with its sound, where the parameters ask for nothing else.
    The parameters have passed `common.schema.ParametersSchema`: types and ranges hold.
    """
    given: dict[str, Any] = dict(parameters)
    codec_name = given.get("codec", scenario.codec)
    codec = CODECS[codec_name]
    container = given.get("container", codec.container)
    fps = float(given.get("fps", scenario.fps))
    duration, audio = float(given.get("duration", scenario.duration)), given.get("audio", "none")
    if source is not None:
        duration = min(float(given.get("duration", source.duration)), source.duration)
        audio = given.get("audio", CONTAINERS[container].audio[0]) if source.audio else "none"
    settings = EncodeSettings(
        width=given.get("width", scenario.width),
        height=given.get("height", scenario.height),
        fps=fps,
        duration=duration,
        codec=codec_name,
        encoder=codec.encoder,
        preset=given.get("preset", codec.preset),
        rate=resolve_rate(scenario, given, codec_name),
        gop=given.get("gop", max(1, round(2 * fps))),
        pixel_format=given.get("pixel_format", "yuv420p"),
        threads=given.get("threads"),
        audio=audio,
        container=container,
        audio_bitrate=parse_bitrate(str(given.get("audio_bitrate", DEFAULT_AUDIO_BITRATE))),
        loudness=given.get("loudness"),
        subtitles=given.get("subtitles", "keep") == "keep",
        deinterlace=given.get("deinterlace", "auto"),
        hdr=given.get("hdr", "keep"),
        content=given.get("content", "test"),
        segment_seconds=float(given.get("segment_seconds", DEFAULT_SEGMENT_SECONDS)),
    )
    _check(settings)
    return settings


def _check(settings: EncodeSettings) -> None:
    codec, container = CODECS[settings.codec], CONTAINERS[settings.container]
    for name, value, allowed, what in (
        ("preset", settings.preset, codec.presets, settings.codec),
        ("pixel_format", settings.pixel_format, codec.pixel_formats, settings.codec),
        ("container", settings.codec, container.codecs, settings.container),
        ("audio", settings.audio, ("none", "copy", *container.audio), settings.container),
    ):
        if value not in allowed:
            raise UnsuitableError(
                name, f"{name} {value!r} does not go with {what}; use one of: {', '.join(allowed)}"
            )
    if settings.codec == "av1":
        _check_av1(settings)
    if settings.duration * settings.fps < 1:
        raise UnsuitableError("duration", "the duration is shorter than one frame")


def _check_av1(settings: EncodeSettings) -> None:
    """What SVT-AV1 refuses, or takes for something else, when it is too late to say so."""
    rate = settings.rate
    if min(settings.width, settings.height) < MIN_AV1_SIZE:
        raise UnsuitableError("width", f"av1 needs at least {MIN_AV1_SIZE} pixels each way")
    if rate.crf is not None and rate.crf < 1:
        raise UnsuitableError("crf", "crf of av1 is between 1 and 63")
    if settings.gop < 2:
        raise UnsuitableError("gop", "av1 needs a gop of 2 or more")
    if rate.bitrate is not None and rate.bitrate > MAX_AV1_BITRATE:
        raise UnsuitableError("bitrate", "a bitrate of av1 is at most 100M")
    if settings.threads is not None and settings.threads > MAX_AV1_THREADS:
        raise UnsuitableError("threads", f"av1 has {MAX_AV1_THREADS} levels of parallelism; use 1 to 6")
