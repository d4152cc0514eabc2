"""How hard the frames of a window are, from what a first pass wrote. Pure.

x264 and x265 write for each frame its quantizer and its bits, of which those of the texture
grow by 1.1 as the quantizer's step shrinks (x264, `qscale2bits`): all are brought to one quantizer.

libvpx writes for each frame, and for all together, a row of numbers (`FIRSTPASS_STATS`), in base64. Its
second pass gives bits by the square root of the error that is left of a frame (`calculate_mod_frame_score`,
with a bias of 50, as it usually is): so that is how hard it is.
"""

from __future__ import annotations

import base64
import math
import re
import struct

LOGS = {"libx264": "ffmpeg-0.log", "libx265": "x265.log", "libvpx-vp9": "ffmpeg-0.log"}
"""By encoder, the file with what its first pass found."""
_QUANTIZER = 26.0
_POWER = 1.1
_FRAME = re.compile(
    rb"^in:(\d{1,9}) .*? q:(-?[\d.]{1,12}) .*?tex:(\d{1,12}) mv:(\d{1,12}) misc:(\d{1,12})", re.MULTILINE
)
_VPX_FIRST = struct.Struct("=4d")
"""How a row of libvpx begins: the frame's number, its weight, its error without others, and what is left."""


def hardness(encoder: str, log: bytes, frames: int) -> tuple[float, ...]:
    """For each of the frames, in the order in which they are shown. ValueError if the log is no such log."""
    found = _vpx(log, frames) if encoder == "libvpx-vp9" else _x26x(log)
    if len(found) != frames or not all(math.isfinite(each) and each >= 0 for each in found):
        raise ValueError(f"the first pass wrote of {len(found)} frames, and there are {frames}")
    return found


def _x26x(log: bytes) -> tuple[float, ...]:
    found: dict[int, float] = {}
    for number, quantizer, texture, motion, rest in _FRAME.findall(log):
        step = 2 ** ((float(quantizer) - _QUANTIZER) / 6)
        found[int(number)] = int(texture) * step**_POWER + int(motion) + int(rest)
    return tuple(found[number] for number in sorted(found))


def _vpx(log: bytes, frames: int) -> tuple[float, ...]:
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
        found.append(math.sqrt(left * weight))
    return tuple(found)
