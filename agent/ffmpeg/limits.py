"""How long an ffmpeg may take, and when it counts as hung. Pure: time is an argument.

The unit of work is a *megapixel frame*: one frame of a million pixels. A frame is taken to
need, even in a bad hour, 0.05 seconds for a megapixel with an encoder's fastest preset and
20 with its slowest, growing by a constant factor from preset to preset between them.
(Measured with the system to itself, on two cores of a server of 2023: x264 ultrafast 0.004
and veryslow 0.08, x265 veryslow 0.44, SVT-AV1 preset 0 1.2.)
"""

from __future__ import annotations

import math
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from common.settings import CODECS, EncodeSettings

Why = Literal["stalled", "time_limit", "aborted", "memory_limit", "cpu_limit", "output_too_large"]
"""Why an ffmpeg was ended, by us or by a limit that the kernel keeps."""

MIB, GIB = 1024**2, 1024**3
ALLOCATED = 2
"""How many times its memory a process may allocate: encoders and stacks take much that they never touch.
Not its address space: allocators reserve 64 MiB of that for each thread, on many cores in vain."""
_MOST_CORES = 128
_SVT_THREADS = 32
"""As many as SVT-AV1 behaves like with its highest level of parallelism, on few cores too."""
_RAW_BYTES = 3
"""Of a pixel, at most: yuv444p has three samples; yuv420p10le one and a half, of two bytes each."""
_TOO_LARGE, _NO_MEMORY = "File too large", ("Cannot allocate memory", "std::bad_alloc", "MemoryError")
_COMPARED = 1.0
"""Seconds that the quality of a megapixel frame may need."""
_LOOKAHEAD = 80
"""Frames that an encoder may hold before the first comes out (SVT-AV1: 74)."""
_BURST = 32
"""Frames that may come out at once (the largest mini-GOP of SVT-AV1)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may take. Seconds are counted on the monotonic clock, but for `cpu_seconds`."""

    first: float = 120.0
    """For the first frame, from the start."""
    stall: float = 60.0
    """For the next frame."""
    last: float = 600.0
    """For the end, once all frames are out: moving the index to the front of a large mp4
    rewrites the file, and ffmpeg says nothing meanwhile."""
    total: float = 3600.0
    """For everything."""
    grace: float = 5.0
    """Between TERM and KILL."""
    memory: int = 4 * GIB
    """Bytes of its resident set, looked at ten times a second; the kernel lets it allocate ALLOCATED
    times as much and no more."""
    cpu_seconds: int = 3600
    """User and system time."""
    output_bytes: int = 64 * GIB
    """Of each file that it writes."""


def limits_for(settings: EncodeSettings, cores: int = _MOST_CORES) -> Limits:
    """The limits of one encode, where `slow` is the seconds that a frame may need (see above):

    first = 120 + 80 x slow; stall = 60 + 32 x slow; total = 600 + 5 x frames x slow.
    CPU seconds = total: on many cores an encode is done sooner, for about the same CPU time.
    """
    presets = CODECS[settings.codec].presets
    slowness = presets.index(settings.preset) / (len(presets) - 1) if settings.preset in presets else 1.0
    slow = settings.width * settings.height / 1e6 * 0.05 * 400**slowness
    total = 600 + 5 * settings.frames * slow
    return Limits(
        first=120 + _LOOKAHEAD * slow,
        stall=60 + _BURST * slow,
        total=total,
        memory=_memory(settings, cores),
        cpu_seconds=math.ceil(total),
        output_bytes=_output_bytes(settings),
    )


def _memory(settings: EncodeSettings, cores: int) -> int:
    """Bytes: 1 GiB, and for each megapixel 0.75 GiB and 1/16 GiB for each thread; 4 GiB at least.

    Encoders hold some frames for each of their threads, beside those they look ahead. That is more than
    all they allocated, used or not, when it was measured at 4K with 10 bits: x264 veryslow 4:4:4 with 64
    threads 30.7 GiB (40.1), x265 veryslow 4:4:4 with 32 8.8 (23.8), SVT-AV1 preset 2 with its highest
    parallelism 22.1 (23.8), VP9 with 32 threads 3.4 (23.8); SVT-AV1 preset 10 at 8K 31.5 (92).
    """
    threads = max(_SVT_THREADS, 2 * cores) if settings.codec == "av1" else settings.threads or 2 * cores
    megapixels = settings.width * settings.height / 1e6
    return max(4 * GIB, round((1 + megapixels * (0.75 + threads / 16)) * GIB))


def _output_bytes(settings: EncodeSettings) -> int:
    """Four times the bitrate, or a sixteenth of a byte for each pixel where that is more, as there is a size
    below which no encoder gets; with a quality in place of a bitrate, what the raw pictures take
    and a quarter. In any case 64 MiB more, for sound and the container.
    """
    pixels = settings.width * settings.height
    if settings.rate.bitrate is None:
        frame = pixels * _RAW_BYTES * 1.25
    else:
        frame = max(4 * settings.rate.bitrate / 8 / settings.fps, pixels / 16)
    return round(64 * MIB + settings.frames * frame)


def limits_of_comparison(width: int, height: int, frames: int, cores: int = _MOST_CORES) -> Limits:
    """The limits of measuring the quality of `frames` of that size, as `limits_for` has those of encodes.

    A megapixel frame may need one second. (Measured with the system to itself, on two cores of a
    server of 2023: VMAF 0.05, all methods together 0.1; 1.7 GiB at 4K.) libvmaf holds frames and their
    features for each of its threads; it writes a few hundred bytes for each frame.
    """
    megapixels = width * height / 1e6
    slow = max(megapixels * _COMPARED, 0.01)
    total = 600 + 5 * frames * slow
    return Limits(
        first=120 + _LOOKAHEAD * slow,
        stall=60 + _BURST * slow,
        total=total,
        memory=max(4 * GIB, round((1 + megapixels * (0.5 + cores / 16)) * GIB)),
        cpu_seconds=math.ceil(total),
        output_bytes=64 * MIB + frames * 1024,
    )


def exceeded(limits: Limits, code: int, cpu_seconds: float, log: Sequence[str]) -> Why | None:
    """Which limit of the kernel's ended a program, if one did.

    `code` is its exit code, or negative: the signal that ended it. A program is not told of a
    limit, but gets an error as from a full disk: `log` is what it said then.
    """
    if code == 0:
        return None
    if code == -signal.SIGXCPU or cpu_seconds >= limits.cpu_seconds:
        return "cpu_limit"
    if code == -signal.SIGXFSZ or any(_TOO_LARGE in line for line in log):
        return "output_too_large"
    return "memory_limit" if any(words in line for line in log for words in _NO_MEMORY) else None


def overdue(
    limits: Limits, now: float, *, started: float, changed: float | None, done: bool
) -> Literal["stalled", "time_limit"] | None:
    """Which limit has passed at `now`, if one has.

    `changed` is when the progress last moved (None: not yet); `done`: all frames are out.
    """
    if now - started >= limits.total:
        return "time_limit"
    if changed is None:
        return "stalled" if now - started >= limits.first else None
    return "stalled" if now - changed >= (limits.last if done else limits.stall) else None


class WorkClock:
    """Tells the time by which a child could work: it stands still while the child is suspended.

    Seconds; until it is first suspended they are those of the clock that is handed in.
    """

    def __init__(self) -> None:
        self._stood = 0.0
        self._since: float | None = None

    @property
    def stands(self) -> bool:
        """Whether the child is suspended."""
        return self._since is not None

    def suspend(self, now: float) -> None:
        """The child is suspended from now on."""
        self._since = now

    def resume(self, now: float) -> None:
        """The child works from now on."""
        self._stood += 0.0 if self._since is None else now - self._since
        self._since = None

    def read(self, now: float) -> float:
        """The time on this clock."""
        return (now if self._since is None else self._since) - self._stood
