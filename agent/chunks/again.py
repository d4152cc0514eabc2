"""A chunk that took more than its share of a bitrate is encoded again, and told less.

libvpx holds no buffer, and a bitrate only in the long run: what hard frames take at the end of a chunk it has
no time to make up for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.chunks.piece import Piece
from agent.chunks.tries import Encode
from agent.encode import Encoded
from agent.ffmpeg.video import buffer
from agent.passes import together
from agent.task import Task
from common.estimate import Step
from common.model import Window
from common.settings import EncodeSettings

CLOSE = 0.05
"""By how much of it a share may be exceeded."""
MOST = 2
"""Encodes after the first one."""
UNIT = 1000
"""Bits per second that encoders count in: what is below they would leave out."""


def whole_units(bitrate: float) -> int:
    """The bitrate that an encoder is told: at least one unit."""
    return max(UNIT, round(bitrate / UNIT) * UNIT)


def less(told: int, share: int, got: float | None) -> int | None:
    """What to tell the encoder that made `got` when it was told `told`, in bit/s; None: that will do."""
    if got is None or got <= share * (1 + CLOSE):
        return None
    found = whole_units(told * share / got)
    return found if found < told else None


def near_its_share(
    task: Task,
    settings: EncodeSettings,
    window: Window,
    cut: Piece,
    encode: Encode,
    planned: Sequence[Step] = (),
) -> Encoded:
    """An encode of the window; with a share of a bitrate, one that is not far above it, if there is a way.

    `planned`: what is to be done, from the encode on. Time and energy are the sums. What `encode` raises.
    """
    encoded = encode(task, settings, window, cut)
    share = settings.rate.bitrate
    if share is None or settings.rate.share_of is None or buffer(settings) is not None:
        return encoded
    told = share
    for _ in range(MOST):
        new = less(told, share, encoded.probed.bitrate)
        if new is None:
            break
        told = new
        task.tools.course.plan(planned)
        once_more = encode(task, replace(settings, rate=replace(settings.rate, bitrate=told)), window, cut)
        encoded = replace(
            once_more,
            ended=together(encoded.ended, once_more.ended),
            energy=once_more.energy.after(encoded.energy),
        )
    return encoded
