"""The archive keeps what it was given, whole, and reads it newest first with little memory."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from datetime import date
from pathlib import Path

import pytest

from master.store import archive
from master.store.archive import Archive, Entry, Place, PlaceError
from master.store.blocks import DamagedError

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


def entries(*names: object) -> list[Entry]:
    return [{"job": {"id": str(name)}, "result": {"frames": 300}} for name in names]


def names(found: list[Entry]) -> str:
    return "".join(entry["job"]["id"] for entry in found)


def everything(_: Entry) -> bool:
    return True


def read_in_pages(kept: Archive, limit: int) -> list[str]:
    """The names on each page, until there is no next."""
    pages: list[str] = []
    place = None
    while True:
        found, place = kept.page(place, limit, everything)
        pages.append(names(found))
        if place is None:
            return pages


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def kept(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """Two days, archived in three rounds, in blocks of two lines."""
    monkeypatch.setattr(archive, "BLOCK_BYTES", len(json.dumps(entries("a"))) + 10)
    made = Archive(directory)
    made.add(MONDAY, entries(*"abcde"))
    made.add(TUESDAY, entries(*"fg"))
    made.add(TUESDAY, entries(*"hij"))
    return made


def test_any_gzip_reads_a_day_as_json_lines_oldest_first(kept: Archive, directory: Path) -> None:
    with gzip.open(directory / "2026-11-24.jsonl.gz", "rt") as lines:
        assert [json.loads(line) for line in lines] == entries(*"fghij")


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7, 10, 1000])
def test_pages_go_from_the_newest_to_the_oldest(kept: Archive, limit: int) -> None:
    pages = read_in_pages(kept, limit)
    assert "".join(pages) == "jihgfedcba"
    assert {len(page) for page in pages[:-1]} <= {limit}


def test_a_place_stays_good_while_more_is_archived(kept: Archive) -> None:
    first, place = kept.page(None, 4, everything)
    kept.add(MONDAY, entries("x"))
    kept.add(TUESDAY, entries("y"))
    assert names(first) == "jihg"
    assert names(kept.page(place, 10, everything)[0]) == "fxedcba"


def test_a_place_in_a_day_that_was_taken_away_leads_to_the_days_before(
    kept: Archive, directory: Path
) -> None:
    _, place = kept.page(None, 1, everything)
    (directory / "2026-11-24.jsonl.gz").unlink()
    assert names(kept.page(place, 10, everything)[0]) == "edcba"


def test_a_place_that_never_was_is_refused(kept: Archive) -> None:
    with pytest.raises(PlaceError):
        kept.page(Place(TUESDAY, 1, 0), 10, everything)


def test_only_what_is_wanted_is_on_a_page(kept: Archive) -> None:
    assert names(kept.page(None, 10, lambda entry: entry["job"]["id"] in "bdg")[0]) == "gdb"
    assert names(kept.page(None, 10, lambda entry: entry["job"]["id"] == "b", '"b"')[0]) == "b"


@pytest.mark.parametrize("containing", [[""], ['"b"'], ['"none"', '"b"']])
def test_one_page_is_sought_in_a_bounded_number_of_blocks(
    kept: Archive, monkeypatch: pytest.MonkeyPatch, containing: list[str]
) -> None:
    monkeypatch.setattr(archive, "MAX_BLOCKS", 2)
    place: Place | None = None
    pages: list[str] = []
    while not pages or place is not None:
        found, place = kept.page(place, 10, lambda entry: entry["job"]["id"] == "b", containing)
        pages.append(names(found))
    assert len(pages) > 2
    assert "".join(pages) == "b"


def test_a_page_of_a_large_day_is_read_with_little_memory(directory: Path) -> None:
    kept = Archive(directory)
    text = "x" * 1000
    kept.add(MONDAY, ({"job": {"id": n, "text": text}} for n in range(40_000)))
    tracemalloc.start()
    found, place = kept.page(None, 10, everything)
    found, _ = kept.page(place, 10, everything)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [entry["job"]["id"] for entry in found] == list(range(39_989, 39_979, -1))
    assert peak < 8 * archive.BLOCK_BYTES


def test_a_write_that_fails_leaves_what_was_there(
    kept: Archive, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in directory.iterdir()}
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError("no room")))
    with pytest.raises(OSError, match="no room"):
        kept.add(TUESDAY, entries("z"))
    assert {path: path.read_bytes() for path in directory.iterdir()} == before


def test_what_a_crash_left_half_written_is_removed_at_the_next_start(kept: Archive, directory: Path) -> None:
    (directory / "2026-11-24.jsonl.gz.abc.part").write_bytes(b"half")
    assert read_in_pages(Archive(directory), 1000) == ["jihgfedcba"]
    assert not list(directory.glob("*.part"))


def test_whether_there_is_anything_is_known_across_starts(directory: Path) -> None:
    fresh = Archive(directory)
    assert (fresh.empty, read_in_pages(fresh, 10)) == (True, [""])
    fresh.add(MONDAY, entries("a"))
    assert (fresh.empty, Archive(directory).empty) == (False, False)


def test_only_the_owner_can_read_it(kept: Archive, directory: Path) -> None:
    for path in (directory, *directory.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("offset", [0, 15, 18, 30, -1])
def test_damage_is_named_and_newer_days_are_read(kept: Archive, directory: Path, offset: int) -> None:
    path = directory / "2026-11-23.jsonl.gz"
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(bytes(data))
    found, place = kept.page(None, 4, everything)
    assert names(found) == "jihg"
    with pytest.raises(DamagedError, match=r"2026-11-23.jsonl.gz is damaged at offset \d+.*restore it"):
        kept.page(place, 10, everything)


def test_a_file_that_something_else_made_is_refused_and_other_names_are_left_alone(
    kept: Archive, directory: Path
) -> None:
    (directory / "2026-13-99.jsonl.gz").write_text("no day")
    (directory / "notes.jsonl.gz").write_text("no day")
    assert read_in_pages(kept, 1000) == ["jihgfedcba"]
    (directory / "2026-11-25.jsonl.gz").write_bytes(gzip.compress(b'{"job":{}}\n'))
    with pytest.raises(DamagedError, match="was not written by the master"):
        kept.page(None, 10, everything)
