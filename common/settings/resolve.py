"""From a scenario and parameters to the exact encode: pure, used on both sides.

The master resolves the settings to refuse what cannot work before it is queued;
the agent resolves the same settings to build ffmpeg's command line.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from common.model import Value
from common.scenarios import Scenario
from common.settings.codecs import CODECS, MAX_AV1_BITRATE, MAX_AV1_THREADS, MIN_AV1_SIZE
from common.settings.containers import CONTAINERS
from common.settings.encode import DEFAULT_AUDIO_BITRATE, DEFAULT_SEGMENT_SECONDS, EncodeSettings
from common.settings.errors import UnsuitableError
from common.settings.hardware import with_hardware
from common.settings.rate import parse_bitrate, resolve_rate
from common.settings.size import fit, steps
from common.settings.tracks import uncopied
from common.source import Source

EIGHT_BIT, TEN_BIT = "yuv420p", "yuv420p10le"
"""What is encoded unless another pixel format is asked for."""


def resolve(
    scenario: Scenario,
    parameters: Mapping[str, Value],
    source: Source | None = None,
    usable: Collection[str] = (),
) -> EncodeSettings:
    """The exact encode; `UnsuitableError` where two parameters contradict each other.

    Of a `source` all is encoded, each frame at its time, with its sound, where the parameters ask for
    nothing else; its picture keeps its shape and depth, and is never larger than it was unless a
    width or height is asked for. `usable`: the encoders that work on the node, of which
    `hwaccel: auto` takes one. The parameters have passed `common.schema.ParametersSchema`: types
    and ranges hold.
    """
    given: dict[str, Any] = dict(parameters)
    codec = given.get("codec", scenario.codec)
    container = given.get("container", CODECS[codec].container)
    every_frame = source is not None and "fps" not in given
    fps = float(given.get("fps", (source and every_frame and source.frame_rate) or scenario.fps))
    pixel_format = given.get("pixel_format", _usual_format(given, codec, source))
    width, height = _size(scenario, given, source, pixel_format)
    settings = EncodeSettings(
        width=width,
        height=height,
        fps=fps,
        duration=_duration(scenario, given, source),
        codec=codec,
        encoder=CODECS[codec].encoder,
        preset=given.get("preset", CODECS[codec].preset),
        rate=resolve_rate(scenario, given, codec),
        gop=given.get("gop", max(1, round(2 * fps))),
        pixel_format=pixel_format,
        threads=given.get("threads"),
        audio=_audio(given, container, source),
        container=container,
        audio_bitrate=parse_bitrate(str(given.get("audio_bitrate", DEFAULT_AUDIO_BITRATE))),
        loudness=given.get("loudness"),
        subtitles=given.get("subtitles", "keep") == "keep",
        deinterlace=given.get("deinterlace", "auto"),
        hdr=given.get("hdr", "keep"),
        content=given.get("content", "test"),
        segment_seconds=float(given.get("segment_seconds", DEFAULT_SEGMENT_SECONDS)),
        every_frame=every_frame,
        source=source,
    )
    _check(settings)
    return with_hardware(settings, given.get("hwaccel", "none"), given.get("preset"), usable)


def _size(
    scenario: Scenario, given: Mapping[str, Any], source: Source | None, pixel_format: str
) -> tuple[int, int]:
    """Width and height in pixels: the scenario's, or the input's fitted into them."""
    width, height = given.get("width"), given.get("height")
    asked = width is not None or height is not None
    if source is None:
        return width or scenario.width, height or scenario.height
    box = (width, height) if asked else (scenario.width, scenario.height)
    return fit(source.shown, box, steps(pixel_format), enlarge=asked)


def _duration(scenario: Scenario, given: Mapping[str, Any], source: Source | None) -> float:
    if source is None:
        return float(given.get("duration", scenario.duration))
    return min(float(given.get("duration", source.duration)), source.duration)


def _audio(given: Mapping[str, Any], container: str, source: Source | None) -> str:
    if source is None:
        return str(given.get("audio", "none"))
    return str(given.get("audio", CONTAINERS[container].audio[0])) if source.audio else "none"


def _usual_format(given: Mapping[str, Any], codec: str, source: Source | None) -> str:
    """10 bits stay 10 bits, unless a picture that needs them is mapped to one that does not."""
    if source is None or source.depth <= 8 or TEN_BIT not in CODECS[codec].pixel_formats:
        return EIGHT_BIT
    return EIGHT_BIT if source.colour.hdr and given.get("hdr") == "tonemap" else TEN_BIT


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
                name,
                f"{'codec' if name == 'container' else name} {value!r} does not go with {what}; "
                f"use one of: {', '.join(allowed)}",
            )
    if settings.loudness is not None and settings.audio == "copy":
        raise UnsuitableError("loudness", "sound that is copied stays as loud as it is; encode it: aac, opus")
    if settings.codec == "av1":
        _check_av1(settings)
    if settings.source is not None:
        _check_source(settings, settings.source)
    if settings.duration * settings.fps < 1:
        raise UnsuitableError("duration", "the duration is shorter than one frame")


def _check_source(settings: EncodeSettings, source: Source) -> None:
    codec = uncopied(settings.container, source) if settings.audio == "copy" else None
    if codec is not None:
        raise UnsuitableError(
            "audio",
            f"its sound is {codec}, which cannot be copied into {settings.container}; "
            "use container mkv, or encode the sound",
        )
    if (
        source.colour.hdr
        and source.depth > 8
        and settings.hdr == "keep"
        and "10" not in settings.pixel_format
    ):
        raise UnsuitableError(
            "pixel_format",
            f"its high dynamic range needs 10 bits, and {settings.pixel_format} has 8; "
            f"use {TEN_BIT}, or hdr: tonemap",
        )


def _check_av1(settings: EncodeSettings) -> None:
    """What SVT-AV1 refuses, or takes for something else, when it is too late to say so."""
    rate = settings.rate
    if min(settings.width, settings.height) < MIN_AV1_SIZE:
        raise UnsuitableError("width", f"av1 needs at least {MIN_AV1_SIZE} pixels each way")
    if rate.crf is not None and rate.crf < 1:
        raise UnsuitableError("crf", "crf of av1 is between 1 and 63")
    if settings.gop < 2:
        raise UnsuitableError("gop", "av1 needs a gop of 2 or more")
    for name, value in (("bitrate", rate.bitrate), ("maxrate", rate.maxrate)):
        if value is not None and value > MAX_AV1_BITRATE:
            raise UnsuitableError(name, f"a {name} of av1 is at most 100M")
    if settings.threads is not None and settings.threads > MAX_AV1_THREADS:
        raise UnsuitableError("threads", f"av1 has {MAX_AV1_THREADS} levels of parallelism; use 1 to 6")
