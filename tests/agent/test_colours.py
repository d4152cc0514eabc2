"""What a file says of its colours is believed only if it can be true."""

from __future__ import annotations

import struct

import pytest

from agent.colours import colour, content_light, mastering_display
from common.settings import Colour, ContentLight, MasteringDisplay

NUMBERS = [(34000, 50000), (16000, 50000), (13250, 50000), (34500, 50000), (7500, 50000), (3000, 50000)]
NUMBERS += [(15635, 50000), (16450, 50000), (1, 10000), (10_000_000, 10000)]


def packed(numbers: list[tuple[int, int]], primaries: int = 1, luminance: int = 1) -> bytes:
    return struct.pack("=20i2i", *[n for pair in numbers for n in pair], primaries, luminance)


def changed(place: int, value: tuple[int, int]) -> bytes:
    return packed([*NUMBERS[:place], value, *NUMBERS[place + 1 :]])


def test_a_display_is_read_as_it_was_written() -> None:
    assert mastering_display(packed(NUMBERS)) == MasteringDisplay(
        (0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.3127, 0.329), 0.0001, 1000.0
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        packed(NUMBERS)[:-1],
        packed(NUMBERS, primaries=0),
        packed(NUMBERS, luminance=0),
        changed(0, (34000, 0)),
        changed(0, (-1, 50000)),
        changed(3, (2, 1)),
        changed(9, (20_000, 1)),
        changed(8, (2000, 1)),
    ],
    ids=["nothing", "cut", "no colours", "no light", "by zero", "below zero", "beyond 1", "a sun", "swapped"],
)
def test_one_that_cannot_be_is_none(data: bytes) -> None:
    assert mastering_display(data) is None


def test_light_is_read_and_bounded() -> None:
    assert content_light(struct.pack("=2I", 1000, 400)) == ContentLight(1000, 400)
    assert content_light(struct.pack("=2I", 2**31, 400)) is None
    assert content_light(b"1234567") is None


def test_numbers_that_mean_nothing_are_unknown() -> None:
    assert colour(9, 16, 9, 1) == Colour("bt2020", "smpte2084", "bt2020nc", "tv")
    assert colour(2, 2, 2, 0) == colour(-1, 10**9, 99, 7) == Colour()
