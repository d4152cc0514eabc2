"""Exact frame rates, and the times that follow from them. Pure."""

from __future__ import annotations

from fractions import Fraction

from common.settings import EncodeSettings


def frame_rate(fps: float) -> Fraction:
    """The exact rate that is meant by `fps`, in frames per second.

    29.97, 23.976 and 59.94 are how people write NTSC's N x 1000/1001, so a number within
    1e-5 of one of those is that one; anything else is taken at its word, to 1/1000.
    """
    for whole in (24, 30, 48, 60, 120):
        ntsc = Fraction(whole * 1000, 1001)
        if abs(fps - ntsc) / ntsc < 1e-5:
            return ntsc
    return Fraction(fps).limit_denominator(1000)


def duration(settings: EncodeSettings) -> float:
    """Seconds that the output's frames last: as in the input, or at their exact rate."""
    if settings.every_frame:
        return settings.duration
    return float(settings.frames / frame_rate(settings.fps))
