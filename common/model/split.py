"""How one encode is spread over machines: what a node finds in the input, and what each chunk encodes.

Times are whole numbers of ticks, each `time_base` seconds long, counted from the file's start: so that a
moment of the input is the same number for whoever names it, and no rounding moves a cut.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cut:
    """A frame that a chunk may begin with."""

    frame: int
    """Which frame of the output it is, from 0."""
    tick: int
    """When that begins."""
    lead: tuple[int, int]
    """The frame, and its tick, from which an encoder is warmed up before it."""
    seek: float
    """Seconds from the file's start: a key frame of the input at or before that moment is where decoding
    begins, so that all frames from `lead` on are what they are when the whole file is decoded."""
    scene: float = 0.0
    """How little a seam is seen there, from 0 (nothing hides it that is known) to 1 (another scene begins).
    0.5: no other scene begins, but an encode of the whole has a key frame there as well."""
    work: int = 0
    """Bytes of the input's picture from this cut to the next one: how hard it is, roughly."""


@dataclass(frozen=True, slots=True)
class Divisible:
    """What a node says of an input that is to be encoded in chunks."""

    reason: str | None
    """Why it must be encoded whole, as a sentence; None: it can be divided."""
    frames: int = 0
    """Frames of the output."""
    end: int = 0
    """The tick at which the last of them ends."""
    time_base: tuple[int, int] = (1, 1)
    """Numerator and denominator of a tick's length in seconds."""
    cuts: tuple[Cut, ...] = ()
    """In their order; the first is frame 0. Few enough for a report: at most `MOST_CUTS`."""
    source: str = ""
    """What is known of the whole input, as JSON for agents (`agent.chunks.facts`): a node that has only a
    piece of it would measure something else."""
    input: str | None = None
    """Where other nodes find it: `file:<sha256>`, where it was put for them; None: where the job says."""
    others: bool = True
    """Whether there is anything but the picture: sound, subtitles, chapters."""


MOST_CUTS = 5000
"""Candidates that are reported. Of more, the worst are left out."""


@dataclass(frozen=True, slots=True)
class Window:
    """The frames of one chunk: [first, end) are brought, and [lead, end) are seen by its encoder."""

    first: int
    end: int
    lead: int
    ticks: tuple[int, int, int]
    """When `first`, `end` and `lead` begin; of the end of the file, when that is."""
    time_base: tuple[int, int]
    seek: float
    """As in `Cut`."""
    work: int = 0
    """As in `Cut`, of all of it."""
