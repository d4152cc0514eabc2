"""Whatever a kill leaves on disk, the next start shows whole files only, and removes the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.support import FakeClock
from tests.files.shelves import Shelves, content_of, put
from tests.files.support import content, sha256_of

DATA, OTHER = content(5000, "one"), content(6000, "another")
NAME = sha256_of(DATA)


def place(shelves: Shelves, name: str) -> Path:
    return shelves.directory / name[:2] / name


def test_a_file_and_what_is_known_of_it_are_there_after_a_new_start(shelves: Shelves) -> None:
    before = put(shelves.open(), DATA, name="ä film.mp4", media_type="video/mp4", owner="alice", job_id="j")
    shelf = shelves.open()
    after = shelf.store.get(NAME)
    assert after is not None
    assert (after.size, after.holdings, after.job_id) == (before.size, before.holdings, before.job_id)
    assert shelf.store.index.size == len(DATA)
    assert content_of(shelf, NAME) == DATA


def test_words_without_content_are_removed(shelves: Shelves) -> None:
    shelf = shelves.open()
    put(shelf, DATA)
    put(shelf, OTHER)
    place(shelves, NAME).unlink()  # killed while it came, or went
    shelf = shelves.open()
    assert [entry.sha256 for entry in shelf.store.all()] == [sha256_of(OTHER)]
    assert not list(place(shelves, NAME).parent.glob(f"{NAME}*"))


@pytest.mark.parametrize(
    "words", [None, b"", b"{}", b"[1]", b'{"size": 5000, "holdings": [], "job_id": null}']
)
def test_content_without_words_becomes_the_operators(shelves: Shelves, words: bytes | None) -> None:
    put(shelves.open(), DATA, owner="alice")
    about = place(shelves, NAME).with_name(f"{NAME}.json")
    about.unlink() if words is None else about.write_bytes(words)
    for _ in range(2):
        shelf = shelves.open()
        entry = shelf.store.get(NAME)
        assert entry is not None
        assert [holding.owner for holding in entry.holdings] == [None]
        assert content_of(shelf, NAME) == DATA


def test_content_that_was_cut_off_is_not_shown_and_can_be_put_again(shelves: Shelves) -> None:
    put(shelves.open(), DATA)
    place(shelves, NAME).write_bytes(DATA[:-1])
    shelf = shelves.open()
    assert list(shelf.store.all()) == []
    put(shelf, DATA)
    assert content_of(shelf, NAME) == DATA


def test_what_others_put_into_the_directory_is_let_alone(shelves: Shelves) -> None:
    put(shelves.open(), DATA)
    (shelves.directory / "lost+found").mkdir()
    (shelves.directory / "README").write_text("hands off")
    shelves.open()
    assert {"README", f"{NAME[:2]}/{NAME}"} <= shelves.files()


def test_a_removed_file_can_be_read_to_its_end_by_who_has_it_open(shelves: Shelves) -> None:
    shelf = shelves.open()
    put(shelf, DATA)
    with shelf.store.open(NAME) as file, shelf.store.changing:
        shelf.store.index.remove(NAME)
        shelf.store.erase(NAME)
        assert file.read() == DATA
    assert shelves.files() == set()
    assert shelf.store.index.size == 0


def test_the_time_of_the_last_use_survives_a_new_start(shelves: Shelves, clock: FakeClock) -> None:
    shelf = shelves.open()
    put(shelf, DATA)
    clock.advance(10_000)
    shelf.store.use(NAME, clock())
    clock.advance(500)
    assert shelves.open().store.index.age(NAME, clock()) == pytest.approx(500, abs=1)
