"""How far a file that was encoded in chunks is from the same encoded whole, above all at its seams. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

FILE_PSNR, FILE_VMAF = 0.1, 0.1
"""By how much the whole file may be worse, at equal bytes."""
AROUND = 5
"""Frames on each side of a seam that are looked at."""
AROUND_PSNR, AROUND_VMAF = 0.5, 1.0
"""By how much the mean of those may be worse, at each seam."""
WORST = 0.5
"""Decibels by which no frame at a seam may be below the worst frame of the file that was encoded whole."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A file compared with its source."""

    size: int
    """Bytes of its picture."""
    psnr: Sequence[float]
    """Of each frame, in decibels, of its brightness."""
    vmaf: Sequence[float]
    keys: int = 0
    """Key frames."""

    @property
    def mean_psnr(self) -> float:
        """Of the file: of the mean of all errors."""
        return -10 * math.log10(fmean(10 ** (-each / 10) for each in self.psnr))


@dataclass(frozen=True, slots=True)
class Seam:
    """By how much the frames around a seam are better (above 0) than the same frames of the whole encode."""

    frame: int
    psnr: float
    vmaf: float
    worst: float
    """Of the worst of them, against the worst frame of all of the whole encode."""


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much the file in chunks is better (above 0) than the whole encode, at equal bytes."""

    psnr: float
    vmaf: float
    seams: tuple[Seam, ...]

    def problems(self) -> list[str]:
        """Sentences: what is worse than it may be."""
        found = [
            f"the file's {name} is {-value:.3f} lower"
            for name, value, most in (("PSNR", self.psnr, FILE_PSNR), ("VMAF", self.vmaf, FILE_VMAF))
            if value < -most
        ]
        for seam in self.seams:
            for name, value, most in (("PSNR", seam.psnr, AROUND_PSNR), ("VMAF", seam.vmaf, AROUND_VMAF)):
                if value < -most:
                    found.append(f"around frame {seam.frame} {name} is {-value:.2f} lower")
            if seam.worst < -WORST:
                found.append(f"a frame at {seam.frame} is {-seam.worst:.2f} dB below the worst of the whole")
        return found


def at_bytes(one: Scored, other: Scored, size: int) -> Scored:
    """What a whole encode of `size` bytes would be, frame by frame, from two of nearly that many.

    Quality grows with the logarithm of the bytes. ValueError if both have the same frames' worth of bytes.
    """
    if one.size == other.size:
        raise ValueError("two encodes of different sizes are needed")
    part = math.log(size / one.size) / math.log(other.size / one.size)

    def between(a: Sequence[float], b: Sequence[float]) -> list[float]:
        return [x + part * (y - x) for x, y in zip(a, b, strict=True)]

    return Scored(size, between(one.psnr, other.psnr), between(one.vmaf, other.vmaf))


def compared(whole: Scored, split: Scored, cuts: Sequence[int]) -> Difference:
    """`cuts`: the frames with which chunks begin, but for the first one."""
    worst = min(whole.psnr)

    def seam(cut: int) -> Seam:
        around = slice(max(0, cut - AROUND), cut + AROUND)
        return Seam(
            cut,
            fmean(split.psnr[around]) - fmean(whole.psnr[around]),
            fmean(split.vmaf[around]) - fmean(whole.vmaf[around]),
            min(split.psnr[around]) - worst,
        )

    return Difference(
        split.mean_psnr - whole.mean_psnr,
        fmean(split.vmaf) - fmean(whole.vmaf),
        tuple(seam(cut) for cut in cuts),
    )
