"""The size of a picture that has to fit: its shape is kept. Pure."""

from __future__ import annotations

from fractions import Fraction


def steps(pixel_format: str) -> tuple[int, int]:
    """What width and height must be multiples of, as several pixels share one sample of colour."""
    return {"yuv444p": (1, 1), "yuv422p": (2, 1)}.get(pixel_format, (2, 2))


def fit(
    shown: tuple[Fraction, Fraction],
    box: tuple[int | None, int | None],
    step: tuple[int, int] = (2, 2),
    *,
    enlarge: bool = False,
) -> tuple[int, int]:
    """The largest size within `box` (width and height in pixels; None: any) with the shape of `shown`.

    Without `enlarge` it is no larger than `shown`. The longer side is the nearest multiple of its
    step, the shorter one the nearest for the shape: it is at most half a step, 1 pixel, from it.
    """
    limits = [Fraction(most) / side for side, most in zip(shown, box, strict=True) if most is not None]
    scale = min([*limits, *([] if enlarge and limits else [Fraction(1)])])
    longer = 0 if shown[0] >= shown[1] else 1
    size = [0, 0]
    size[longer] = _nearest(shown[longer] * scale, step[longer], box[longer])
    shape = shown[1 - longer] / shown[longer]
    size[1 - longer] = _nearest(size[longer] * shape, step[1 - longer], box[1 - longer])
    return size[0], size[1]


def _nearest(value: Fraction, step: int, most: int | None) -> int:
    """The nearest multiple up to `most`, of two that are as near the lower one; one step at least."""
    nearest = -((step - 2 * value) // (2 * step)) * step
    return max(step, nearest if most is None else min(nearest, most // step * step))
