"""A place in a log stays what it is, whatever is dropped of the log; and what is gone is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from master.store.logs import LogStore


def all_after(store: LogStore, place: int, most: int = 64) -> tuple[list[str], list[tuple[int, int]]]:
    """The lines behind a place, and the gaps between them."""
    lines: list[str] = []
    gaps: list[tuple[int, int]] = []
    while True:
        piece = store.after("job", place, most)
        if piece.begin != place:
            gaps.append((place, piece.begin))
        if not piece.lines and piece.end == place:
            return lines, gaps
        lines += [line for _, line in piece.lines]
        place = piece.end


@settings(deadline=None, max_examples=15)
@given(
    said=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=30), max_size=40)
)
def test_who_follows_reads_every_line_once_though_the_older_half_is_dropped(
    tmp_path_factory: pytest.TempPathFactory, said: list[str]
) -> None:
    store = LogStore(tmp_path_factory.mktemp("logs"), max_bytes=200)
    place, read = 0, list[str]()
    for line in said:
        store.append("job", [line])
        piece = store.after("job", place, 64)
        assert piece.begin == place
        read += [text for _, text in piece.lines]
        place = piece.end
    assert read == said
    rest = store.read("job")
    assert rest == said[len(said) - len(rest) :]


def test_a_place_that_was_dropped_is_a_gap(tmp_path: Path) -> None:
    store = LogStore(tmp_path, max_bytes=100)
    said = [f"{n:09}" for n in range(50)]
    for line in said:
        store.append("job", [line])
    lines, gaps = all_after(store, 20)
    ((after, up_to),) = gaps
    assert after == 20
    assert lines == said[up_to // 10 :]
    assert 100 <= 500 - up_to <= 200


@pytest.mark.parametrize("place", [1, 5, 9])
def test_a_place_within_a_line_is_moved_to_the_next(tmp_path: Path, place: int) -> None:
    store = LogStore(tmp_path)
    store.append("job", ["a" * 9, "b" * 9])
    assert all_after(store, place) == (["b" * 9], [(place, 10)])


def test_a_place_beyond_the_end_is_moved_back_to_it(tmp_path: Path) -> None:
    """A crash of the machine has lost lines that were read already."""
    store = LogStore(tmp_path)
    store.append("job", ["a"])
    assert store.after("job", 100, 64).begin == 2


def test_half_a_line_is_not_read_yet(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    store.append("job", ["whole"])
    with next(tmp_path.rglob("*.log")).open("ab") as file:
        file.write(b"hal")
    assert all_after(store, 0) == (["whole"], [])


def test_a_line_cannot_pretend_that_something_was_dropped(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    store.append("job", ["\0dropped 1000", "b"])
    assert all_after(store, 0) == (["dropped 1000", "b"], [])
    assert store.read("job") == ["dropped 1000", "b"]


def test_a_log_that_does_not_exist_has_no_lines(tmp_path: Path) -> None:
    assert all_after(LogStore(tmp_path), 0) == ([], [])
