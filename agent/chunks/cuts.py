"""Which pictures a chunk may begin with, and what is known of each. Pure: a function of the input alone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from statistics import median

from agent.chunks.groups import Groups
from agent.chunks.pictures import Pictures, UndividedError
from common.model import MOST_CUTS, Cut

RARE = 10
"""Seconds between key frames from which on cuts are made amid a group of pictures too."""
_APART = 5
"""Seconds between two of those, about."""
_FARTHEST = 300
"""Seconds from its key frame behind which no cut is made: all between is decoded in vain."""
_CLOSEST = 1
"""Seconds between two cuts that are told of."""
_REGULAR = 0.3
"""A share of the distances between key frames: what is as frequent is habit, and no scene's end."""
_IRREGULAR_SCENE = 0.7
_PEAK = 12
"""How many times as large as those around it a picture's packet is at a scene's end, or more."""
_ANEW = 0.5
"""How good a cut is, as scenes go, where an encode of the whole has a key frame too, though none changes."""
_IN_VAIN = 0.25
"""By how much it is worse for each second that must be decoded before it in vain."""


@dataclass(frozen=True, slots=True)
class Output:
    """The frames that are made of the pictures, in whole ticks."""

    tick: Fraction
    """Seconds."""
    frames: int
    end: int
    rate: Fraction | None
    """Frames per second that were asked for; None: each picture becomes one frame, at its time."""


def output_of(pictures: Pictures, base: Fraction, rate: Fraction | None, frames: int | None) -> Output:
    """`frames`: of the output, where a rate or a duration was asked for; else all pictures become frames."""
    if rate is not None:
        count = frames or 0
        return Output(1 / rate, count, count, rate)
    count = min(frames or len(pictures.ticks), len(pictures.ticks))
    whole = count == len(pictures.ticks)
    return Output(base, count, pictures.end if whole else pictures.ticks[count], None)


class Divider:
    """Finds the cuts of one stream."""

    def __init__(
        self,
        pictures: Pictures,
        base: Fraction,
        output: Output,
        lead: int,
        gop: int,
        piece: Fraction | None = None,
    ) -> None:
        """`base`: seconds of a tick of the stream; `lead`: frames that an encoder is shown before a cut;
        `gop`: frames, and `piece`: seconds, after which it makes a key frame (`agent.chunks.groups`).
        """
        self._pictures, self._base, self._output = pictures, base, output
        self._lead = lead
        self._groups = Groups(gop, output.frames, self._tick, piece and piece / output.tick)
        rate = output.rate
        # The frame of the output at which each picture is shown first, as the filter fps rounds.
        self._shown = None if rate is None else _shown(pictures, base * rate)
        self._bytes = [0, *accumulate(pictures.sizes)]

    def cuts(self) -> tuple[Cut, ...]:
        """All of them, at most MOST_CUTS. `UndividedError` if the output has no frames."""
        if self._output.frames < 1:
            raise UndividedError("nothing of it is wanted")
        chosen = self._thinned(sorted(self._candidates(), key=lambda each: each[:2]))
        first = {} if chosen and chosen[0][0] == 0 else {0: (0, 0.0)}
        frames = {**first, **{frame: (number, scene) for frame, number, scene in chosen}}
        listed = list(frames.items())
        ends = [number for _, (number, _) in listed[1:]] + [len(self._pictures.ticks)]
        return tuple(
            self._cut(frame, scene, self._bytes[end] - self._bytes[number])
            for (frame, (number, scene)), end in zip(listed, ends, strict=True)
        )

    def _cut(self, frame: int, scene: float, work: int) -> Cut:
        lead = max(0, frame - self._lead)
        seek = self._pictures.seek(self._picture_of(lead)) * self._base
        return Cut(
            frame,
            self._tick(frame),
            (lead, self._tick(lead)),
            max(0.0, float(seek)),
            scene,
            work,
        )

    def _tick(self, frame: int) -> int:
        if frame >= self._output.frames:
            return self._output.end
        return frame if self._output.rate is not None else self._pictures.ticks[frame]

    def _picture_of(self, frame: int) -> int:
        """The picture that a frame of the output shows."""
        return frame if self._shown is None else max(0, bisect_right(self._shown, frame) - 1)

    def _frame_of(self, number: int) -> int:
        return number if self._shown is None else self._shown[number]

    def _candidates(self) -> Iterator[tuple[int, int, float]]:
        """Frames, with the picture that each shows, and how good a cut is there."""
        ticks = self._pictures.ticks
        keys = [n for key in self._pictures.keys if (n := bisect_left(ticks, key.tick)) < len(ticks)]
        gaps = Counter(b - a for a, b in pairwise(keys))
        usual = {gap for gap, count in gaps.items() if count >= _REGULAR * sum(gaps.values())}
        changed = 0
        for before, key, after in zip([0, *keys], keys, [*keys[1:], len(ticks)], strict=False):
            frame = self._frame_of(key)
            if key == before or key - before in usual:
                yield frame, key, _ANEW if self._groups.begins(frame, changed) else 0.0
            else:
                changed = frame
                yield frame, key, _IRREGULAR_SCENE
            end = ticks[after] if after < len(ticks) else self._pictures.end
            seconds = float((end - ticks[key]) * self._base)
            if seconds <= RARE:
                yield from self._soon(key, after, changed)
            else:
                for number, scene in self._amid(key, after, seconds):
                    yield (place := self._frame_of(number)), number, scene
                    changed = place if scene >= _IRREGULAR_SCENE else changed
                    # A group begins no farther from there than half of one.
                    yield from self._aligned(max(frame, place - self._groups.gop // 2), key, after, changed)

    def _soon(self, key: int, after: int, changed: int) -> Iterator[tuple[int, int, float]]:
        """The first frame behind a key frame with which a group of the output begins, if it is near."""
        ticks = self._pictures.ticks
        for frame, number, good in self._aligned(self._frame_of(key), key, after, changed):
            better = good - _IN_VAIN * float((ticks[number] - ticks[key]) * self._base)
            if better > 0:
                yield frame, number, round(better, 3)

    def _aligned(self, frame: int, key: int, after: int, changed: int) -> Iterator[tuple[int, int, float]]:
        """The next frame with which a group of the output begins, if it is behind that key frame."""
        found = self._groups.behind(frame, changed)
        number = self._picture_of(found)
        if key < number < after and found < self._output.frames:
            yield found, number, _ANEW

    def _amid(self, key: int, after: int, seconds: float) -> Iterator[tuple[int, float]]:
        """Cuts in a group of pictures that is long: each where a packet is large, near its even place."""
        ticks = self._pictures.ticks
        parts = int(seconds / _APART)
        for part in range(1, parts):
            if part * seconds / parts > _FARTHEST:
                return
            middle = ticks[key] + round(part * seconds / parts / self._base)
            slack = round(Fraction(_APART, 4) / self._base)
            low = max(key + 1, bisect_left(ticks, middle - slack))
            high = min(after, bisect_left(ticks, middle + slack))
            if low < high:
                sizes = self._pictures.sizes[low:high]
                number = low + max(range(len(sizes)), key=lambda n: (sizes[n], -n))
                yield number, self._peak(number)

    def _peak(self, number: int) -> float:
        """How far a packet stands out among those around it: an encoder found a new scene there."""
        around = self._pictures.sizes[max(0, number - 12) : number + 13]
        return round(min(1.0, self._pictures.sizes[number] / max(1.0, median(around)) / _PEAK), 3)

    def _thinned(self, candidates: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
        """Those that stay: of each stretch the best, of equal ones the first."""
        frames = self._output.frames
        seconds = max(
            1.0,
            float(
                frames * self._output.tick
                if self._output.rate
                else (self._pictures.end - self._pictures.ticks[0]) * self._base
            ),
        )
        width = max(float(_CLOSEST), seconds / (MOST_CUTS - 10))
        best: dict[int, tuple[int, int, float]] = {}
        for frame, number, scene in candidates:
            if not 0 < frame < frames:
                continue
            stretch = int(
                (self._pictures.ticks[number] - self._pictures.ticks[0]) * self._base / Fraction(width)
            )
            if stretch not in best or scene > best[stretch][2]:
                best[stretch] = (frame, number, scene)
        return sorted({each[0]: each for each in best.values()}.values())


def _shown(pictures: Pictures, step: Fraction) -> list[int]:
    return [int(tick * step + Fraction(1, 2)) for tick in pictures.ticks]
