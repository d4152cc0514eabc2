"""Moments of an input as ffmpeg counts them, and as whole ticks. Pure."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

MICROSECOND = Fraction(1, 1_000_000)
"""The unit in which libav says when a file starts."""


def from_start(start: int | None, base: Fraction) -> int:
    """The ticks of `base` seconds that are to be added to a stream's times, so that they count from the
    file's start, which libav says in microseconds.

    As ffmpeg does (fftools): rounded to the nearest tick, halves away from zero.
    """
    ticks = -(start or 0) * MICROSECOND / base
    whole = int(abs(ticks) + Fraction(1, 2))
    return whole if ticks >= 0 else -whole


def common_step(one: Fraction, other: Fraction) -> Fraction:
    """The least time that is a whole number of both."""
    return Fraction(lcm(one.numerator, other.numerator), gcd(one.denominator, other.denominator))


def moment(seconds: float, base: Fraction) -> int:
    """The tick that was meant by `seconds`."""
    return round(Fraction(seconds) / base)
