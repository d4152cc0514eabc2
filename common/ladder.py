"""The rungs of a ladder: which sizes and bitrates one picture is encoded in. Pure.

`720p` names a box of 1280x720 pixels (720x1280 for an upright picture); the picture is fitted
into it, and never enlarged: a rung that the picture does not fill is above it, and left out.

Bitrates that nobody gave follow the scenario catalogue's of H.264 at 30 frames per second:
between two of its sizes they are interpolated (as powers of the number of pixels), beyond them
they go with the pixels to the power of 0.75. Twice the frame rate takes the square root of 2
as much, about what the catalogue has for 60. Other codecs take the catalogue's 60 %.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from common.scenarios import CATALOGUE
from common.settings.rate import MAX_BITRATE, MIN_BITRATE, parse_bitrate
from common.settings.size import fit

AUTO = "auto"
RUNG = re.compile(r"([1-9][0-9]{1,3})p(?::([0-9]{1,9}(?:\.[0-9]{1,3})?[kKmM]?))?", re.ASCII)
"""How a rung is written: `720p`, `720p:3000k`."""
MAX_RUNGS = 16
STANDARD = (2160, 1440, 1080, 720, 480, 360, 240)
"""The rungs of `auto`."""
_OWN = 1.2
"""With `auto`, a source that is this many times larger than its highest rung is a rung of its own."""
_ROUNDING = 2.0
"""Pixels that a size may be below its box, as sizes are even."""
_GROWTH = 0.75
_OTHER_CODECS = 0.6
_RATE = 30.0
"""Frames per second that the bitrates are for."""
_SMALLEST = 16


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of the source, as it is shown: rotated, with square pixels."""

    width: int
    height: int
    frame_rate: float | None = None
    """Frames per second; None: unknown, or it varies."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One encode of a ladder."""

    name: str
    """Such as `720p`."""
    width: int
    height: int
    bitrate: int
    """Bits per second."""


def parse_ladder(asked: Sequence[str]) -> list[tuple[int, int | None]]:
    """Height and bitrate of each rung that was asked for, the highest first; empty: `auto`.

    ValueError if one is none, or is there twice.
    """
    if list(asked) == [AUTO]:
        return []
    found: dict[int, int | None] = {}
    for text in asked:
        match = RUNG.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no rung; write 720p, 720p:3000k, or auto alone")
        height = int(match[1])
        if height < _SMALLEST:
            raise ValueError(f"{text!r} is too small; {_SMALLEST}p is the least")
        if height in found:
            raise ValueError(f"{height}p is there twice")
        found[height] = None if match[2] is None else parse_bitrate(match[2])
    if not found:
        raise ValueError("there is no rung in it")
    return sorted(found.items(), reverse=True)


def rungs(asked: Sequence[str], source: Picture, codec: str) -> list[Rung]:
    """The ladder for `source`, the highest rung first; at least one, and none above the source.

    Two rungs that come to the same size are one. ValueError as `parse_ladder`.
    """
    wanted = parse_ladder(asked) or [(height, None) for height in STANDARD]
    fitting = [(height, rate) for height, rate in wanted if _scale(height, source) <= 1.0]
    own = _own_height(source)
    if not fitting:  # the source as it is, for what the lowest rung may take
        fitting = [(own, wanted[-1][1])]
    elif list(asked) == [AUTO] and own >= fitting[0][0] * _OWN:
        fitting.insert(0, (own, None))
    found: dict[tuple[int, int], Rung] = {}
    for height, rate in fitting:
        width_, height_ = size(height, source)
        bitrate = rate or default_bitrate(width_, height_, source.frame_rate, codec)
        found.setdefault((width_, height_), Rung(f"{height}p", width_, height_, bitrate))
    return list(found.values())


def size(height: int, source: Picture) -> tuple[int, int]:
    """Width and height of the source in the box of `height`: even, its shape kept, not enlarged."""
    box = (math.ceil(height * 16 / 9), height)
    if source.height > source.width:
        box = (box[1], box[0])
    return fit((Fraction(source.width), Fraction(source.height)), box)


def default_bitrate(width: int, height: int, frame_rate: float | None, codec: str) -> int:
    """Bits per second for a picture of that size, to two digits."""
    rate = frame_rate if frame_rate is not None and frame_rate > 0 else _RATE
    bits = _by_pixels(width * height) * math.sqrt(rate / _RATE)
    bits *= 1.0 if codec == "h264" else _OTHER_CODECS
    digits: int = 10 ** max(0, math.floor(math.log10(bits)) - 1)
    return min(MAX_BITRATE, max(MIN_BITRATE, round(bits / digits) * digits))


def _by_pixels(pixels: int) -> float:
    """Bits per second of H.264 at 30 frames per second."""
    known = sorted(
        {
            s.width * s.height: parse_bitrate(s.bitrate)
            for s in CATALOGUE
            if (s.codec, s.fps) == ("h264", _RATE)
        }.items()
    )
    if pixels <= known[0][0]:
        return known[0][1] * math.pow(pixels / known[0][0], _GROWTH)
    for (less, low), (more, high) in pairwise(known):
        if pixels <= more:
            growth = math.log(high / low) / math.log(more / less)
            return low * math.pow(pixels / less, growth)
    return known[-1][1] * math.pow(pixels / known[-1][0], _GROWTH)


def _scale(height: int, source: Picture) -> float:
    """By how much the source would be scaled to fill the box; a pixel or two too few count as filled."""
    long_, short = max(source.width, source.height), min(source.width, source.height)
    scale = min(height * 16 / 9 / long_, height / short)
    missing = max(long_ * (scale - 1), short * (scale - 1))
    return 1.0 if 0 < missing <= _ROUNDING else scale


def _own_height(source: Picture) -> int:
    """The height of the box that the source fills."""
    long_, short = max(source.width, source.height), min(source.width, source.height)
    return max(_SMALLEST, round(max(short, long_ * 9 / 16)))
