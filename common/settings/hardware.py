"""Encoders in hardware: which there are, and when one can take the place of the software's. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from common.settings.codecs import CODECS
from common.settings.encode import EncodeSettings
from common.settings.errors import UnsuitableError

_NAMES = {"h264": "h264", "h265": "hevc", "av1": "av1"}
"""ffmpeg's names of the codecs that hardware encodes, by ours."""
SMALLEST = (256, 144)
"""Pixels each way that every one of them takes; some take less, none says so before it fails."""
LARGEST_H264 = 4096
"""Pixels each way: none makes larger pictures in H.264."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """One maker's encoders, as ffmpeg reaches them."""

    presets: tuple[str, ...]
    """Fastest first; none: it has no such choice."""
    preset: str
    """The usual one."""
    ten_bit: bool
    """Whether H.265 and AV1 may have 10 bits."""
    caps: bool = False
    """Whether a constant quality can have a cap."""


HARDWARE: dict[str, Hardware] = {
    "nvenc": Hardware(("p1", "p2", "p3", "p4", "p5", "p6", "p7"), "p4", ten_bit=True, caps=True),
    "qsv": Hardware(
        ("veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"), "medium", ten_bit=True
    ),
    "vaapi": Hardware((), "", ten_bit=True),
    "amf": Hardware(("speed", "balanced", "quality"), "balanced", ten_bit=False),
    "videotoolbox": Hardware((), "", ten_bit=False),
}
"""In the order in which `auto` takes them."""


def hardware_of(encoder: str) -> str | None:
    """The hardware that an encoder of ffmpeg's needs: `nvenc` of `h264_nvenc`; None for software."""
    name = encoder.rpartition("_")[2]
    return name if name in HARDWARE else None


def encoder_of(codec: str, hardware: str) -> str | None:
    """ffmpeg's encoder for the codec; None if that hardware never has one."""
    return None if codec not in _NAMES else f"{_NAMES[codec]}_{hardware}"


def with_hardware(
    settings: EncodeSettings, wanted: str, preset: str | None, usable: Collection[str]
) -> EncodeSettings:
    """The settings with the encoder that the parameter `hwaccel` asks for.

    A name means that one: `UnsuitableError` if it can not make what was asked for. `auto` means the first
    of the node's `usable` encoders that can, else the software's. A constant quality is on a scale of
    each encoder's own, so `auto` leaves it to the software. `preset`: the one asked for, if one was.
    """
    if wanted == "none":
        return settings
    if wanted != "auto":
        problem = unsuitable(settings, wanted)
        if problem is not None:
            raise UnsuitableError(*problem)
        return _replaced(settings, wanted, preset)
    for name in HARDWARE:
        fits = unsuitable(settings, name) is None and settings.rate.crf is None
        if fits and encoder_of(settings.codec, name) in usable:
            return _replaced(settings, name, preset)
    return settings


def unsuitable(settings: EncodeSettings, hardware: str) -> tuple[str, str] | None:
    """Which parameter that hardware cannot do, and why; None if it can do all."""
    known, rate = HARDWARE[hardware], settings.rate
    if encoder_of(settings.codec, hardware) is None:
        return "hwaccel", f"{hardware} has no encoder for {settings.codec}"
    depths = ("yuv420p", "yuv420p10le") if known.ten_bit and settings.codec != "h264" else ("yuv420p",)
    if settings.pixel_format not in depths:
        return "pixel_format", f"{hardware} encodes {settings.codec} in {' or '.join(depths)} only"
    if rate.passes > 1:
        return "two_pass", f"{hardware} has no second pass"
    if rate.maxrate is not None and not known.caps:
        return "maxrate", f"{hardware} cannot cap a constant quality"
    if rate.crf is not None and rate.crf < 1:
        return "crf", f"crf of {hardware} begins at 1"
    if settings.threads is not None:
        return "threads", f"threads are the software encoder's; {hardware} has none"
    if settings.width < SMALLEST[0] or settings.height < SMALLEST[1]:
        return "width", f"{hardware} needs at least {SMALLEST[0]}x{SMALLEST[1]} pixels"
    if settings.codec == "h264" and max(settings.width, settings.height) > LARGEST_H264:
        return "width", f"{hardware} makes h264 up to {LARGEST_H264} pixels each way"
    return None


def _replaced(settings: EncodeSettings, hardware: str, preset: str | None) -> EncodeSettings:
    encoder = encoder_of(settings.codec, hardware)
    assert encoder is not None  # noqa: S101 # nosec B101 # `unsuitable` has said so
    return replace(settings, encoder=encoder, preset=_preset(settings.codec, hardware, preset))


def _preset(codec: str, hardware: str, preset: str | None) -> str:
    """Its own preset at the place where `preset` is among the software's, from fastest to slowest."""
    own, soft = HARDWARE[hardware].presets, CODECS[codec].presets
    if preset is None or not own:
        return HARDWARE[hardware].preset
    return own[round(soft.index(preset) / (len(soft) - 1) * (len(own) - 1))]
