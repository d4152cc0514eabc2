"""Where an encode of the whole has its key frames while no scene changes: there a cut costs nothing. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil


@dataclass(frozen=True, slots=True)
class Groups:
    """How an encode of the whole is cut into groups of pictures."""

    gop: int
    """Frames of a group, at most."""
    frames: int
    """Of the output."""
    tick_of: Callable[[int], int]
    """When a frame is shown."""
    piece: Fraction | None = None
    """Ticks that a piece of a stream lasts: a group begins with each, and none with a change of the scene."""

    def begun(self, frame: int, changed: int) -> int:
        """From where groups up to `frame` are counted; `changed`: where the scene changed last, or 0."""
        if self.piece is None:
            return changed
        return self._shown_at(self.tick_of(frame) // self.piece * self.piece)

    def behind(self, frame: int, changed: int) -> int:
        """The next frame with which a group begins, or the number of frames if there is none."""
        begun = self.begun(frame, changed)
        found = begun + ((frame - begun) // self.gop + 1) * self.gop
        if self.piece is not None:
            found = min(found, self._shown_at((self.tick_of(frame) // self.piece + 1) * self.piece))
        return min(found, self.frames)

    def begins(self, frame: int, changed: int) -> bool:
        """Whether a group begins with it."""
        return (frame - self.begun(frame, changed)) % self.gop == 0

    def _shown_at(self, tick: Fraction) -> int:
        """The first frame that is shown then or later."""
        return bisect_left(range(self.frames), ceil(tick), key=self.tick_of)
