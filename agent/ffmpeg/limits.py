"""How long an ffmpeg may take, and when it counts as hung. Pure: time is an argument.

The unit of work is a *megapixel frame*: one frame of a million pixels. A frame is taken to
need, even in a bad hour, 0.05 seconds for a megapixel with an encoder's fastest preset and
20 with its slowest, growing by a constant factor from preset to preset between them.
(Measured with the system to itself, on two cores of a server of 2023: x264 ultrafast 0.004
and veryslow 0.08, x265 veryslow 0.44, SVT-AV1 preset 0 1.2.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from common.settings import CODECS, EncodeSettings

Why = Literal["stalled", "time_limit", "aborted"]
"""Why an ffmpeg was ended by us."""

GIB = 1024**3
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
    """Bytes of address space."""
    cpu_seconds: int = 3600
    """User and system time."""
    output_bytes: int = 64 * GIB
    """Of each file that it writes."""


def limits_for(settings: EncodeSettings) -> Limits:
    """The limits of one encode, where `slow` is the seconds that a frame may need (see above):

    first = 120 + 80 x slow; stall = 60 + 32 x slow; total = 600 + 5 x frames x slow.
    """
    presets = CODECS[settings.codec].presets
    slowness = presets.index(settings.preset) / (len(presets) - 1) if settings.preset in presets else 1.0
    slow = settings.width * settings.height / 1e6 * 0.05 * 400**slowness
    return Limits(
        first=120 + _LOOKAHEAD * slow,
        stall=60 + _BURST * slow,
        total=600 + 5 * settings.frames * slow,
    )


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
