"""A picture that is fitted into a box keeps its shape, stays within, and has sizes that its format allows."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.settings import Source
from common.settings.size import fit, steps

SIDES = st.integers(2, 8192)
SHOWN = st.tuples(SIDES.map(Fraction), SIDES.map(Fraction)).filter(
    lambda shown: max(shown) / min(shown) <= 100
)
BOX = st.tuples(st.integers(8, 3840).map(lambda n: 2 * n), st.integers(8, 2160).map(lambda n: 2 * n))
STEPS = st.sampled_from([(1, 1), (2, 1), (2, 2)])


@given(SHOWN, BOX, STEPS, st.booleans())
def test_the_shape_is_kept_within_a_pixel_and_a_half(
    shown: tuple[Fraction, Fraction], box: tuple[int, int], step: tuple[int, int], enlarge: bool
) -> None:
    width, height = fit(shown, box, step, enlarge=enlarge)
    if min(width, height) > 2:  # what is thinner than a pixel of colour gets one all the same
        longer, shorter = (width, height) if shown[0] >= shown[1] else (height, width)
        assert abs(shorter - longer * min(shown) / max(shown)) <= Fraction(3, 2)


@given(SHOWN, BOX, STEPS, st.booleans())
def test_it_is_within_the_box_and_its_sides_are_multiples(
    shown: tuple[Fraction, Fraction], box: tuple[int, int], step: tuple[int, int], enlarge: bool
) -> None:
    width, height = fit(shown, box, step, enlarge=enlarge)
    assert width <= box[0]
    assert height <= box[1]
    assert (width % step[0], height % step[1]) == (0, 0)
    assert min(width, height) >= 1


@given(SHOWN, BOX)
def test_it_is_not_enlarged(shown: tuple[Fraction, Fraction], box: tuple[int, int]) -> None:
    width, height = fit(shown, box)
    assert width <= max(Fraction(2), shown[0] + 1)
    assert height <= max(Fraction(2), shown[1] + 1)


@pytest.mark.parametrize(
    ("shown", "box", "enlarge", "expected"),
    [
        ((1920, 1080), (854, 480), False, (854, 480)),
        ((1080, 1920), (854, 480), False, (270, 480)),
        ((1279, 719), (1280, 720), False, (1278, 718)),
        ((160, 90), (854, 480), False, (160, 90)),
        ((160, 90), (854, 480), True, (854, 480)),
        ((160, 90), (320, None), True, (320, 180)),
        ((160, 90), (None, 180), True, (320, 180)),
        ((1, 1), (854, 480), False, (2, 2)),
    ],
)
def test_some_that_everybody_knows(
    shown: tuple[int, int], box: tuple[int | None, int | None], enlarge: bool, expected: tuple[int, int]
) -> None:
    assert fit((Fraction(shown[0]), Fraction(shown[1])), box, enlarge=enlarge) == expected


def test_what_shares_colour_between_pixels_needs_even_sides() -> None:
    assert [steps(name) for name in ("yuv420p", "yuv420p10le", "yuv422p", "yuv444p")] == [
        (2, 2),
        (2, 2),
        (2, 1),
        (1, 1),
    ]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (Source(1, 720, 576, sample_aspect=Fraction(64, 45)), (1024, 576)),
        (Source(1, 720, 480, sample_aspect=Fraction(8, 9)), (720, 540)),
        (Source(1, 1920, 1080, rotation=90), (1080, 1920)),
        (Source(1, 1920, 1080, rotation=180), (1920, 1080)),
        (Source(1, 720, 576, rotation=270, sample_aspect=Fraction(64, 45)), (576, 1024)),
        (Source(1, 720, 576, sample_aspect=Fraction(1, 4000)), (720, 576)),
    ],
)
def test_a_picture_is_shown_upright_with_square_pixels(source: Source, shown: tuple[int, int]) -> None:
    assert source.shown == (Fraction(shown[0]), Fraction(shown[1]))
