"""What makes chunks alike: the same threads on all machines, and nothing but the picture. Pure."""

from __future__ import annotations

from dataclasses import replace

from agent.chunks.hardness import LOGS
from agent.ffmpeg.keyframes import Forced
from agent.ffmpeg.video import HOLD_BUFFERS
from common.model import Window
from common.settings import EncodeSettings, hardware_of

THREADS = 4
"""Of an encoder, where nothing was asked for: as many on all machines, since the bytes depend on it."""
LEAD = 4
"""Frames of the output that an encoder is warmed up by before those that are wanted: with a P picture among
them x264 gives the key frame behind it the quantizer that it would have amid a film."""


def alike(settings: EncodeSettings) -> EncodeSettings:
    """The encode of a chunk: only the picture, with threads that do not depend on the machine.

    x264 and x265 hold a buffer (VBV) by what the frames beside took so far, which with several threads is
    another number each time: then there is one, whatever was asked for.
    """
    rate = settings.rate
    holds = rate.bitrate is not None or rate.maxrate is not None
    one = holds and settings.encoder in HOLD_BUFFERS
    threads = 1 if one else settings.threads or THREADS
    return replace(settings, threads=threads, audio="none", subtitles=False, loudness=None, levels=())


def forced(window: Window) -> Forced:
    """Where a chunk's pictures begin anew: at the first frame that is wanted."""
    numerator, denominator = window.time_base
    began = (window.ticks[2] + 0.5) * numerator / denominator
    return Forced(window.first - window.lead, began)


def lead(settings: EncodeSettings) -> int:
    """How many frames an encoder is shown before those that are wanted.

    None behind them: no frame before a key frame is worth more for what comes behind that. The second pass of
    a bitrate gets none but its own: it is warm, from its look, and what others take would have to be guessed.
    That of libvpx-vp9 also makes no key frame where one is forced. x265 does not count what pictures owe to a
    key frame that is forced amid others, which then is far too coarse; the first of all is as it should be.
    """
    if settings.rate.bitrate is not None or settings.encoder == "libx265":
        return 0
    return LEAD


def undivided(settings: EncodeSettings) -> str | None:
    """Why such an encode cannot be made in chunks, as a sentence; None: it can.

    SVT-AV1 has no second pass that is of use.
    """
    if hardware_of(settings.encoder) is not None:
        return f"{settings.encoder} promises neither key frames nor equal bytes: use the encoder in software"
    if settings.rate.bitrate is not None and settings.encoder not in LOGS:
        return f"{settings.codec} meets a bitrate only where one encoder sees the whole file: use a crf"
    if settings.codec == "vp9" and _is_lit_by_its_container(settings):
        return (
            "of a high dynamic range libvpx-vp9 passes on only what each picture says, and here the file does"
        )
    return None


def _is_lit_by_its_container(settings: EncodeSettings) -> bool:
    """Whether a piece has lost what is said of display and light: in H.264 and H.265 pictures say that."""
    source = settings.source
    if source is None or settings.tonemapped or source.codec in ("h264", "h265"):
        return False
    return source.mastering is not None or source.light is not None
