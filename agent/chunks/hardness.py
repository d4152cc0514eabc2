"""How hard the frames of a window are, from what a first pass wrote. Pure.

x264 and x265 write for each frame its quantizer and its bits. Their second passes count on how these shrink
as the quantizer's step grows (`qscale2bits`; `common.shares.Hardness`): all are brought to one quantizer.

libvpx writes for each frame, and for all together, a row of numbers (`FIRSTPASS_STATS`), in base64. Its
second pass gives bits by the square root of the error that is left of a frame (`calculate_mod_frame_score`,
with a bias of 50, as it usually is): so that is how hard it is.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import astuple
from itertools import pairwise

from common.shares import Hardness

LOGS = {"libx264": "ffmpeg-0.log", "libx265": "x265.log", "libvpx-vp9": "ffmpeg-0.log"}
"""By encoder, the file with what its first pass found."""
MOST_PIECES = 200
"""That are told of: all looks' go to each chunk, and a result keeps them."""

_QUANTIZER = 26.0
_KEY = 1.4
"""By how much finer the quantizer of key frames is than that of others (`ipratio`)."""
_FRAME = re.compile(
    rb"^in:(\d{1,9}) .*?type:(\w)\b.*? q:(-?[\d.]{1,12}) .*?tex:(\d{1,12}) mv:(\d{1,12}) misc:(\d{1,12})",
    re.MULTILINE,
)
_VPX_FIRST = struct.Struct("=4d")
"""How a row of libvpx begins: the frame's number, its weight, its error without others, and what is left."""


def hardness(encoder: str, log: bytes, frames: int) -> tuple[Hardness, ...]:
    """For each of the frames, in the order in which they are shown. ValueError if the log is no such log."""
    found = _vpx(log, frames) if encoder == "libvpx-vp9" else _x26x(log)
    if len(found) != frames or not all(map(_valid, found)):
        raise ValueError(f"the first pass wrote of {len(found)} frames, and there are {frames}")
    return found


def by_second(frames: Sequence[Hardness], seconds: float) -> tuple[Hardness, ...]:
    """Of pieces with equally many frames, each about a second long, or longer where there would be too many.

    A buffer of two seconds' bits, into which 1.5 seconds' bits come in each, is filled within 1.33: what is
    hard for less than a second takes from it what comes in during the rest of that.
    """
    count = max(1, min(round(seconds), MOST_PIECES, len(frames)))
    bounds = [len(frames) * number // count for number in range(count + 1)]
    return tuple(total(frames[first:end]) for first, end in pairwise(bounds))


def total(frames: Sequence[Hardness]) -> Hardness:
    """Of all together."""
    return Hardness(*(math.fsum(column) for column in zip(*map(astuple, frames), strict=True)))


def to_text(pieces: Sequence[Hardness]) -> str:
    """A result's metric: three numbers for each."""
    return " ".join(f"{number:.4g}" for piece in pieces for number in astuple(piece))


def from_text(text: str) -> tuple[Hardness, ...]:
    """What `to_text` wrote. ValueError."""
    numbers = [float(word) for word in text.split(None, 3 * MOST_PIECES)]
    found = tuple(Hardness(*three) for three in zip(*[iter(numbers)] * 3, strict=True))
    if not found or not all(map(_valid, found)):
        raise ValueError("they are no three numbers for each second")
    return found


def _valid(each: Hardness) -> bool:
    return all(math.isfinite(number) and number >= 0 for number in astuple(each))


def _x26x(log: bytes) -> tuple[Hardness, ...]:
    found: dict[int, Hardness] = {}
    for number, kind, quantizer, texture, motion, rest in _FRAME.findall(log):
        step = 2 ** ((float(quantizer) - _QUANTIZER) / 6) * (_KEY if kind in b"Ii" else 1)
        found[int(number)] = Hardness(int(texture), int(motion), int(rest)).at(1 / step)
    return tuple(found[number] for number in sorted(found))


def _vpx(log: bytes, frames: int) -> tuple[Hardness, ...]:
    """Versions of libvpx have rows of different lengths, but all begin alike; the last row is the sum."""
    rows = base64.b64decode(log.strip(), validate=True)
    length, rest = divmod(len(rows), frames + 1)
    if rest or length < _VPX_FIRST.size or length % 8:
        raise ValueError(f"the first pass wrote {len(rows)} bytes, and there are {frames} frames")
    found = []
    for number in range(frames):
        frame, weight, _, left = _VPX_FIRST.unpack_from(rows, number * length)
        if frame != number:
            raise ValueError(f"the first pass wrote of frame {frame:g} instead of {number}")
        found.append(Hardness(math.sqrt(left * weight)))
    return tuple(found)
