"""How hard the frames of a window are, from what a first pass wrote. Pure.

x264 and x265 write for each frame its quantizer and its bits, of which those of the texture
grow by 1.1 as the quantizer's step shrinks (x264, `qscale2bits`): all are brought to one quantizer.
"""

from __future__ import annotations

import math
import re

LOGS = {"libx264": "ffmpeg-0.log", "libx265": "x265.log"}
"""By encoder, the file with what its first pass found."""
_QUANTIZER = 26.0
_POWER = 1.1
_FRAME = re.compile(
    rb"^in:(\d{1,9}) .*? q:(-?[\d.]{1,12}) .*?tex:(\d{1,12}) mv:(\d{1,12}) misc:(\d{1,12})", re.MULTILINE
)


def hardness(log: bytes, frames: int) -> tuple[float, ...]:
    """For each of the frames, in the order in which they are shown. ValueError if the log is no such log."""
    found = _read(log)
    if len(found) != frames or not all(math.isfinite(each) and each >= 0 for each in found):
        raise ValueError(f"the first pass wrote of {len(found)} frames, and there are {frames}")
    return found


def _read(log: bytes) -> tuple[float, ...]:
    found: dict[int, float] = {}
    for number, quantizer, texture, motion, rest in _FRAME.findall(log):
        step = 2 ** ((float(quantizer) - _QUANTIZER) / 6)
        found[int(number)] = int(texture) * step**_POWER + int(motion) + int(rest)
    return tuple(found[number] for number in sorted(found))
