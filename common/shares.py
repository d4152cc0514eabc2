"""How a bitrate over a whole file is shared among its chunks. Pure, the same on all nodes.

Two passes over a whole file encode all of it with one quantizer: the one by which it gets the bits that were
asked for. Only where it is so hard that a buffer would run empty they spend what that has, and all else gets
what is left. Each chunk gets what it takes then; its own second pass finds that quantizer again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEAST = 0.01
"""Of the whole file's bitrate, that a chunk gets, however easy it is."""

_TEXTURE, _MOTION = 1.1, 0.5
"""By which powers of the quantizer's step bits shrink: x264's and x265's second passes count on it."""
BEGIN = 0.5
"""How full its buffer is when a chunk begins, as its encoder is told. Amid a film that is not known; with
0.9, as encoders have it, a hard chunk would take all of it in its first second, and starve then."""
_KEPT = 0.1
"""Of a buffer, what encoders never take out of it."""
TAKEN = 0.93
"""Of what comes in, what they make use of where it is hard without end."""
_RANGE = 64
"""Doublings of the quantizer's step, in both directions: there is nothing beyond."""


@dataclass(frozen=True, slots=True)
class Hardness:
    """Bits that frames take at one quantizer, the same for all that is compared; or any other unit."""

    texture: float
    motion: float = 0.0
    rest: float = 0.0
    """Whatever the quantizer is."""

    def at(self, step: float) -> Hardness:
        """With a quantizer whose step is so many times as large."""
        return Hardness(self.texture / step**_TEXTURE, self.motion / step**_MOTION, self.rest)

    @property
    def bits(self) -> float:
        """All of them."""
        return self.texture + self.motion + self.rest


@dataclass(frozen=True, slots=True)
class Buffer:
    """What bounds peaks: a decoder's buffer, which an encoder never lets run empty (VBV)."""

    rate: int
    """Bits per second that come in, until it is full."""
    size: int
    """Bits."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known of a chunk."""

    seconds: float
    pieces: Sequence[Hardness]
    """Of its parts, which last equally long, each no longer than a buffer takes to be filled."""

    def spent(self, step: float, buffer: Buffer | None, taken: float = 1.0) -> float:
        """Bits that it takes, with a quantizer's step, if a buffer allows them.

        `taken`: of what comes into the buffer, what the encoder makes use of.
        """
        wanted = [piece.at(step).bits for piece in self.pieces]
        if buffer is None:
            return sum(wanted)
        level, spent = buffer.size * BEGIN, 0.0
        coming = taken * buffer.rate * self.seconds / len(wanted)
        for each in wanted:
            given = min(each, level + coming - buffer.size * _KEPT)
            level = min(level + coming - given, buffer.size)
            spent += given
        return spent


def shares(chunks: Sequence[Looked], bitrate: float, buffer: Buffer | None = None) -> tuple[float, ...]:
    """Bits per second that each chunk's encoder is told. What they will make of it has the mean `bitrate`.

    ValueError without chunks, or if one lasts no time or has no pieces.
    """
    if not chunks or not all(each.seconds > 0 and each.pieces for each in chunks):
        raise ValueError("each chunk has a hardness, and lasts some time")
    target = bitrate * sum(each.seconds for each in chunks)

    def bits(doublings: float, taken: float = 1.0) -> list[float]:
        return [
            max(each.spent(2**doublings, buffer, taken), bitrate * LEAST * each.seconds) for each in chunks
        ]

    low, high = float(-_RANGE), float(_RANGE)
    for _ in range(60):  # halved until no float lies between
        middle = (low + high) / 2
        if sum(bits(middle, TAKEN)) > target:
            low = middle
        else:
            high = middle
    # Not 1 only where no quantizer will do: what all can take is not enough, or is too much.
    exact = target / sum(bits(high, TAKEN))
    return tuple(told * exact / each.seconds for told, each in zip(bits(high), chunks, strict=True))
