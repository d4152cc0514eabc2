"""The CRFs of the encoders: their ranges, and where a VMAF is to be expected. Pure, used on both sides."""

from __future__ import annotations

import math
from dataclasses import dataclass

GUESSED = 94.0
"""The VMAF that most pictures have with `Scale.guess`."""
_LEAST, _MOST = 0.2, 99.9
"""VMAF that has a logit; what is beyond is taken for these."""
_WINDOW = 6.0
"""Logit around what is expected in which most pictures are: 24 CRFs of H.264."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The CRFs of an encoder, and what to expect of them before anything is measured."""

    low: float
    high: float
    step: float
    guess: float
    """Where most pictures have a VMAF of about 94."""
    slope: float
    """Logit that one more CRF costs."""


SCALES = {
    "h264": Scale(1, 51, 0.1, 24, 0.25),
    "h265": Scale(1, 51, 0.1, 26, 0.25),
    "vp9": Scale(0, 63, 1, 34, 0.15),
    "av1": Scale(1, 63, 1, 35, 0.15),
}
"""By codec. 0 is left out where it means lossless or is refused."""


def logit(vmaf: float) -> float:
    """ln(v / (100 - v)): over it the curves are nearly straight, which level out towards 100 and 0."""
    share = min(max(vmaf, _LEAST), _MOST) / 100
    return math.log(share / (1 - share))


def spread(target: float, scale: Scale, count: int) -> tuple[float, ...]:
    """`count` CRFs to try at once for a VMAF of `target`, while nothing is measured, in rising order.

    The window in which most pictures are is cut into `count` equal pieces, and the middle of each
    is taken, so that the target most likely lies between two of them. Near an end of the scale the
    window is moved, not cut: no two of them are the same.
    """
    width = min(_WINDOW / scale.slope, scale.high - scale.low)
    middle = scale.guess + (logit(GUESSED) - logit(target)) / scale.slope
    first = min(max(middle - width / 2, scale.low), scale.high - width)
    places = (first + width * (number + 0.5) / count for number in range(count))
    return tuple(
        round(scale.low + round((place - scale.low) / scale.step) * scale.step, 3) for place in places
    )
