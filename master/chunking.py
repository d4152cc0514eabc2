"""Where a file is cut into chunks: from what a node found in it, and what was asked for, alone. Pure.

The same file with the same settings is cut alike, whichever nodes there are: so its chunks, and what is
joined of them, are the same bytes (docs/decisions/0047-how-a-file-is-divided.md).

What is sought: `count` chunks, of equal work where a number was asked for or they are few, else of the
`SIZES` again and again: the small ones, which go last, make nodes end at the same time. For each of the
`count - 1` ideal places between them the cut is taken that has the least

    (distance / half of a `count`-th of the work) ** 2 - scene

(`Cut.scene`: how little a seam is seen there) among the cuts that are nearer to it than to any other ideal
place, and that leave no chunk shorter than the least. Where there is none, one chunk is longer, and there
are fewer of them. Work: `master.weights`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from common.model import Cut, Divisible, Window
from common.split import LEAST_CHUNKS, MOST_CHUNKS
from master.weights import work

WORTH_IT = 30.0
"""Seconds: what is shorter stays whole, if nothing else is asked for."""
SHORTEST, LONGEST = 10, 40
"""Seconds of a chunk, where it is ours to choose: as short as `OVERHEAD` allows."""
OVERHEAD = Fraction(3, 100)
"""Frames before chunks, which are encoded and not brought, as a share of all. It gives way to `LONGEST`: few
chunks of a short file would leave some nodes with nothing to do."""
SIZES = (3, 2, 1)
"""Of the work of chunks, where it is ours to choose."""
MANY = 12
"""Chunks of which that is of use: of few the largest would be late."""
LEAST_FRAMES = 12
"""No chunk has fewer frames; nor less than a quarter of what all have on average."""


def windows(divisible: Divisible, asked: int = 0, most: int = MOST_CHUNKS) -> tuple[Window, ...]:
    """The chunks of a file, in order: they have each of its frames once. One chunk: it is better left whole.

    `asked`: about how many there should be, 0: as many as are good; `most`: never more.
    """
    cuts = divisible.cuts
    sizes = [1] * min(most, asked) if asked else _sizes(min(most, _count(divisible)))
    chosen = [cuts[0]]
    if len(sizes) >= LEAST_CHUNKS:
        chosen = _choose(divisible, sizes)
    following = [*chosen[1:], None]
    bytes_before = dict(
        zip([cut.frame for cut in cuts], accumulate((c.work for c in cuts), initial=0), strict=False)
    )
    whole = sum(cut.work for cut in cuts)
    found = []
    for one, other in zip(chosen, following, strict=True):
        until = whole if other is None else bytes_before[other.frame]
        found.append(_window(divisible, one, other, until - bytes_before[one.frame]))
    return tuple(found)


def _count(divisible: Divisible) -> int:
    """How many chunks are good."""
    numerator, denominator = divisible.time_base
    seconds = Fraction(divisible.end * numerator, denominator)
    if seconds < WORTH_IT:
        return 1
    unseen = sorted(cut.frame - cut.lead[0] for cut in divisible.cuts)
    apiece = seconds * unseen[len(unseen) // 2] / divisible.frames
    length = min(Fraction(LONGEST), max(Fraction(SHORTEST), apiece / OVERHEAD))
    return max(LEAST_CHUNKS, int(seconds / length))


def _sizes(count: int) -> list[int]:
    """The work of about `count` chunks beside each other, so that nodes of a kind are done together."""
    if count < MANY:
        return [1] * (count - count % 2 or count)
    return list(SIZES) * (count // len(SIZES))


@dataclass(frozen=True, slots=True)
class _Place:
    """A cut, and how much work is before it."""

    cut: Cut
    work: int


def _choose(divisible: Divisible, sizes: Sequence[int]) -> list[Cut]:
    """The cuts that are taken, the first of all among them."""
    places, count = _places(divisible), len(sizes)
    whole, ideals = places[-1].work, [0, *accumulate(sizes)]
    least = max(LEAST_FRAMES, divisible.frames // (4 * count))
    chosen = [divisible.cuts[0]]
    inner, at, unit = places[1:-1], 0, 2 * ideals[-1]
    for before, ideal, behind in zip(ideals, ideals[1:-1], ideals[2:], strict=False):
        # In halves of a share, so that all are whole numbers: no machine rounds them differently.
        low, high = whole * (before + ideal), whole * (ideal + behind)
        near: list[_Place] = []
        while at < len(inner) and inner[at].work * unit < high:
            if inner[at].work * unit >= low:
                near.append(inner[at])
            at += 1
        able = [
            each
            for each in near
            if each.cut.frame - chosen[-1].frame >= least and divisible.frames - each.cut.frame >= least
        ]
        if able:
            share = Fraction(ideal, ideals[-1])
            chosen.append(min(able, key=lambda each: _badness(each, share, count, whole)).cut)
    return chosen


def _badness(place: _Place, share: Fraction, count: int, whole: int) -> tuple[float, int]:
    away = float(2 * count * (place.work - share * whole) / whole)
    return (away * away - place.cut.scene, place.cut.frame)


def _places(divisible: Divisible) -> Sequence[_Place]:
    """All cuts, and the end, behind the work that is before them."""
    cuts, frames = divisible.cuts, divisible.frames
    size = sum(cut.work for cut in cuts)
    ends = [*(cut.frame for cut in cuts[1:]), frames]
    apiece = [work(end - cut.frame, cut.work, frames, size) for cut, end in zip(cuts, ends, strict=True)]
    before = [0, *accumulate(apiece)]
    return [_Place(cut, work) for cut, work in zip((*cuts, cuts[-1]), before, strict=True)]


def _window(divisible: Divisible, one: Cut, other: Cut | None, work: int) -> Window:
    """The frames from one cut to the next one taken, or to the end."""
    end = (divisible.frames, divisible.end) if other is None else (other.frame, other.tick)
    return Window(
        first=one.frame,
        end=end[0],
        lead=one.lead[0],
        ticks=(one.tick, end[1], one.lead[1]),
        time_base=divisible.time_base,
        seek=one.seek,
        work=work,
    )
