"""What makes chunks alike: the same threads on all machines, and nothing but the picture. Pure."""

from __future__ import annotations

from dataclasses import replace

from agent.chunks.hardness import LOGS
from agent.ffmpeg.keyframes import Forced
from common.model import Window
from common.settings import EncodeSettings, hardware_of

THREADS = 4
"""Of an encoder, where nothing was asked for: as many on all machines, since the bytes depend on it."""


def alike(settings: EncodeSettings) -> EncodeSettings:
    """The encode of a chunk: only the picture, with threads that do not depend on the machine.

    x264 and x265 hold a buffer (VBV) by what the frames beside took so far, which with several threads is
    another number each time: then there is one, whatever was asked for.
    """
    rate = settings.rate
    holds = rate.bitrate is not None or rate.maxrate is not None
    one = holds and settings.encoder in ("libx264", "libx265")
    threads = 1 if one else settings.threads or THREADS
    return replace(settings, threads=threads, audio="none", subtitles=False, loudness=None, levels=())


def forced(window: Window) -> Forced:
    """Where a chunk's pictures begin anew: at the first frame that is wanted, and behind the last one."""
    numbers = {window.first - window.lead, window.end - window.lead} - {window.tail - window.lead}
    numerator, denominator = window.time_base
    began = (window.ticks[2] + 0.5) * numerator / denominator
    return Forced(tuple(sorted(numbers)), began)


def undivided(settings: EncodeSettings) -> str | None:
    """Why such an encode cannot be made in chunks, as a sentence; None: it can.

    SVT-AV1 has no second pass that is of use, and that of libvpx-vp9 makes no key frame where one is forced.
    """
    if hardware_of(settings.encoder) is not None:
        return f"{settings.encoder} promises neither key frames nor equal bytes: use the encoder in software"
    if settings.rate.bitrate is not None and settings.encoder not in LOGS:
        return f"{settings.codec} meets a bitrate only where one encoder sees the whole file: use a crf"
    return None
