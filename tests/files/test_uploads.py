"""An upload goes on where it ended, also after a new start, and becomes a file only if its hash is right."""

from __future__ import annotations

import pytest

from common import problems
from common.model import UploadStatus
from common.problems import Problem
from master.files.uploads import KEEP, MOST
from tests.core.support import FakeClock
from tests.files.shelves import Shelves, announced, content_of, put, stored
from tests.files.support import content, sha256_of
from tests.masters import wait_until

DATA = content(3_000_000)


def test_a_file_that_comes_in_pieces_is_stored_with_its_last_piece(shelves: Shelves) -> None:
    shelf = shelves.open()
    upload = shelf.uploads.begin(announced(DATA, name="a.mp4"))
    for begin in range(0, len(DATA), 1_000_000):
        assert upload.status is UploadStatus.RECEIVING
        assert shelf.store.get(sha256_of(DATA)) is None
        shelf.uploads.append(upload, begin, DATA[begin : begin + 1_000_000])
    assert upload.status is UploadStatus.STORED  # not a moment later: nothing had to be read again
    assert content_of(shelf, sha256_of(DATA)) == DATA
    name = sha256_of(DATA)
    assert shelves.files() == {f"{name[:2]}/{name}", f"{name[:2]}/{name}.json"}


def test_the_same_announcement_finds_what_was_begun_also_after_a_new_start(shelves: Shelves) -> None:
    shelf = shelves.open()
    upload = shelf.uploads.begin(announced(DATA))
    shelf.uploads.append(upload, 0, DATA[:1_000_000])
    assert shelf.uploads.begin(announced(DATA)) is upload
    shelf = shelves.open()
    again = shelf.uploads.begin(announced(DATA))
    assert (again.id, again.offset) == (upload.id, 1_000_000)
    shelf.uploads.append(again, 1_000_000, DATA[1_000_000:])
    assert stored(again).size == len(DATA)
    assert content_of(shelf, sha256_of(DATA)) == DATA


def test_what_had_come_before_a_new_start_is_hashed_too(shelves: Shelves) -> None:
    shelf = shelves.open()
    upload = shelf.uploads.begin(announced(DATA))
    shelf.uploads.append(upload, 0, DATA[:1_000_000])
    shelves.close()
    with upload.part.open("r+b") as file:
        file.write(b"damaged")
    shelf = shelves.open()
    again = shelf.uploads.begin(announced(DATA))
    shelf.uploads.append(again, 1_000_000, DATA[1_000_000:])
    wait_until(lambda: again.wrong, "the damage is noticed")
    assert shelves.files() == set()


def test_an_upload_that_was_whole_when_the_master_ended_becomes_a_file_by_itself(shelves: Shelves) -> None:
    shelf = shelves.open()
    upload = shelf.uploads.begin(announced(DATA))
    shelf.uploads.append(upload, 0, DATA[:1_000_000])
    shelves.close()
    upload.part.write_bytes(DATA)  # killed between its last byte and the file's appearance
    shelf = shelves.open()
    wait_until(lambda: shelf.store.get(sha256_of(DATA)), "the file is stored")
    assert content_of(shelf, sha256_of(DATA)) == DATA


def test_a_wrong_hash_is_refused_and_nothing_is_kept(shelves: Shelves) -> None:
    shelf = shelves.open()
    upload = shelf.uploads.begin(announced(DATA))
    with pytest.raises(Problem) as caught:
        shelf.uploads.append(upload, 0, DATA[:-1] + b"x")
    assert caught.value.type is problems.WRONG_HASH
    assert shelves.files() == set()
    assert shelf.uploads.held == 0


def test_a_piece_that_begins_elsewhere_is_refused_with_the_offset(shelves: Shelves) -> None:
    shelf = shelves.open()
    upload = shelf.uploads.begin(announced(DATA))
    shelf.uploads.append(upload, 0, DATA[:1000])
    for offset in (0, 999, 1001, len(DATA)):
        with pytest.raises(Problem) as caught:
            shelf.uploads.append(upload, offset, b"x")
        assert caught.value.type is problems.WRONG_OFFSET
        assert caught.value.extra == {"offset": 1000}
    assert upload.offset == 1000


def test_more_than_was_announced_is_refused(shelves: Shelves) -> None:
    shelf = shelves.open()
    upload = shelf.uploads.begin(announced(DATA))
    with pytest.raises(Problem) as caught:
        shelf.uploads.append(upload, 0, DATA + b"x")
    assert caught.value.type is problems.INVALID
    assert upload.offset == 0


def test_a_file_without_a_byte_is_stored_at_once(shelves: Shelves) -> None:
    shelf = shelves.open()
    assert put(shelf, b"").size == 0
    assert content_of(shelf, sha256_of(b"")) == b""


def test_others_do_not_find_my_upload(shelves: Shelves) -> None:
    shelf = shelves.open()
    mine = shelf.uploads.begin(announced(DATA))
    shelf.uploads.append(mine, 0, DATA[:1000])
    for others in (announced(DATA, sender="you"), announced(DATA, owner="you")):
        assert shelf.uploads.begin(others).offset == 0


def test_one_sender_has_a_bounded_number_of_uploads(shelves: Shelves) -> None:
    shelf = shelves.open()
    for number in range(MOST):
        shelf.uploads.begin(announced(content(10, number)))
    with pytest.raises(Problem) as caught:
        shelf.uploads.begin(announced(content(10, MOST)))
    assert caught.value.type is problems.TOO_MANY
    shelf.uploads.begin(announced(content(10, MOST), sender="you"))


def test_an_upload_that_nobody_goes_on_with_is_removed(shelves: Shelves, clock: FakeClock) -> None:
    shelf = shelves.open()
    upload = shelf.uploads.begin(announced(DATA))
    clock.advance(KEEP)
    shelf.uploads.append(upload, 0, b"".join([DATA[:10]]))
    clock.advance(KEEP)
    shelf.uploads.tidy(clock())
    assert upload.offset == 10
    clock.advance(1)
    shelf.uploads.tidy(clock())
    assert shelf.uploads.get(upload.id) is None
    assert shelves.files() == set()


def test_what_was_left_of_an_upload_that_cannot_go_on_is_removed_at_the_start(shelves: Shelves) -> None:
    shelves.open()
    left = shelves.directory / "uploads"
    (left / "a.part").write_bytes(b"nobody said what it will be")
    (left / "b.json").write_text("{}")
    (left / "c.part").write_bytes(b"x")
    (left / "c.json").write_text("half a rec")
    (left / ".d.json.abc").write_text("{")
    shelves.open()
    assert shelves.files() == set()
