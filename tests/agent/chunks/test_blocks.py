"""Of a file that is read in parts little more is got than is read, and little of it is kept."""

from __future__ import annotations

import random

import pytest

from agent.chunks.blocks import AHEAD, BLOCK, MOST, Blocks

DATA = random.Random(1).randbytes(1000)


class Source:
    """The file, which notes what is got of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def get(self, offset: int, length: int) -> bytes:
        self.asked.append((offset, length))
        assert 0 <= offset < offset + length <= len(DATA)
        return DATA[offset : offset + length]


def blocks(source: Source, most: int = 4, ahead: int = 1) -> Blocks:
    return Blocks(source.get, len(DATA), block=10, most=most, ahead=ahead)


@pytest.mark.parametrize("ahead", [1, 3, 8])
def test_whatever_is_read_is_what_the_file_has_there(ahead: int) -> None:
    chance, reader = random.Random(ahead), blocks(Source(), ahead=ahead)
    for _ in range(500):
        offset = chance.randrange(len(DATA))
        length = min(chance.choice([1, 9, 10, 11, 35]), len(DATA) - offset)
        assert reader.read(offset, length) == DATA[offset : offset + length]


def test_what_is_kept_is_not_got_again() -> None:
    source = Source()
    reader = blocks(source)
    assert reader.read(5, 10) == reader.read(5, 10) == DATA[5:15]
    assert source.asked == [(0, 10), (10, 10)]
    assert reader.got == 20


def test_of_more_than_may_be_kept_the_longest_unused_goes() -> None:
    source = Source()
    reader = blocks(source, most=3)
    for offset in (0, 100, 200, 0, 300):
        reader.read(offset, 1)
    source.asked.clear()
    reader.read(0, 1), reader.read(200, 1), reader.read(300, 1)
    assert source.asked == []
    reader.read(100, 1)
    assert source.asked == [(100, 10)]


def test_the_longer_it_is_read_in_its_order_the_more_is_got_at_once() -> None:
    source = Source()
    reader = blocks(source, most=16, ahead=8)
    for offset in range(500, 760):
        assert reader.read(offset, 1) == DATA[offset : offset + 1]
    assert source.asked == [(500, 10), (510, 20), (530, 40), (570, 80), (650, 80), (730, 80)]


def test_behind_a_jump_one_block_is_got_and_what_is_there_is_not_got_once_more() -> None:
    source = Source()
    reader = blocks(source, most=16, ahead=8)
    for offset in (500, 510, 0, 540, 530, 560):
        reader.read(offset, 1)
    # 530 and 540 are read out of their order; 560 too.
    assert source.asked == [(500, 10), (510, 20), (0, 10), (540, 10), (530, 10), (560, 10)]
    for offset in (570, 590):
        reader.read(offset, 1)
    assert source.asked[6:] == [(570, 20), (590, 40)]


def test_nothing_is_asked_for_behind_the_end() -> None:
    source = Source()
    reader = blocks(source, most=16, ahead=8)
    for offset in range(900, 1000):
        reader.read(offset, 1)
    assert source.asked[-1] == (970, 30)
    assert reader.got == 100


def test_a_part_that_is_short_is_not_taken_for_whole() -> None:
    reader = Blocks(lambda offset, length: DATA[offset : offset + length - 1], len(DATA), block=10)
    with pytest.raises(ValueError, match="9 bytes came, and not 10"):
        reader.read(0, 10)


def test_no_more_than_32_mib_are_kept() -> None:
    reader = Blocks(lambda _offset, length: bytes(length), 100 * BLOCK)
    for number in range(100):
        reader.read(number * BLOCK, BLOCK)
    assert sum(map(len, reader._kept.values())) == MOST * BLOCK == 32 * 2**20
    assert AHEAD * BLOCK == 4 * 2**20
