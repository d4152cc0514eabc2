"""A part of a stored file comes whole through faults, or it is said what is wrong; never other bytes."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
import requests

import common.transfers
from agent.files import EndedError
from agent.inputs.rules import InputFailedError
from common.client import ApiError
from common.parts import get_part
from common.transfers import Patience, TransferError
from tests.agent.chunks.shelf import Shelf, problem

DATA = random.Random(4).randbytes(1_000_000)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(DATA)


def patience() -> Patience:
    """Gives up at the third fault in a row: each takes a second."""
    clock = iter(range(100))
    return Patience(3, lambda _: None, lambda: float(next(clock)))


def got(shelf: Shelf, offset: int, length: int) -> bytes:
    part = get_part(shelf, shelf.sha256, offset, length, patience())  # type: ignore[arg-type]
    assert part.size == len(DATA)
    return part.data


def test_it_has_the_bytes_that_were_asked_for(shelf: Shelf) -> None:
    assert got(shelf, 0, 1) == DATA[:1]
    assert got(shelf, 300_000, 200_000) == DATA[300_000:500_000]
    assert got(shelf, 999_000, 50_000) == DATA[999_000:]


def test_where_a_line_broke_it_goes_on(shelf: Shelf) -> None:
    shelf.breaks_at = {0: 200_000, 1: 100_000}
    assert got(shelf, 1000, 700_000) == DATA[1000:701_000]
    assert shelf.asked[0] == (1000, 700_000)
    assert [offset + length for offset, length in shelf.asked] == [701_000] * 3
    assert 1000 < shelf.asked[1][0] < shelf.asked[2][0]


def test_a_master_that_is_away_for_a_while_is_waited_for(shelf: Shelf) -> None:
    def away(number: int) -> None:
        if number == 0:
            raise requests.ConnectionError
        if number == 1:
            raise problem(503, "too_busy")

    shelf.before = away
    assert got(shelf, 0, 10) == DATA[:10]


def test_one_that_stays_away_is_given_up(shelf: Shelf) -> None:
    def away(_: int) -> None:
        raise requests.ConnectionError("away")

    shelf.before = away
    with pytest.raises(requests.ConnectionError):
        got(shelf, 0, 10)
    assert 1 < len(shelf.asked) < 10


@pytest.mark.parametrize(
    ("headers", "status", "why"),
    [
        ({"ETag": '"another"'}, 206, "of another file"),
        ({"Content-Range": "bytes 0-9/1000000"}, 206, "another part"),
        ({"Content-Range": "bytes 100-119/1000000"}, 206, "another part"),
        ({"Content-Range": "bytes 100-108/1000000"}, 206, "another part"),
        ({"Content-Range": "bytes 100-109/*"}, 206, "does not give parts"),
        ({"Content-Range": ""}, 206, "does not give parts"),
        ({}, 200, "does not give parts"),
    ],
)
def test_an_answer_to_another_question_is_not_taken(
    shelf: Shelf, headers: dict[str, str], status: int, why: str
) -> None:
    shelf.headers, shelf.status = headers, status
    with pytest.raises(TransferError, match=why):
        got(shelf, 100, 10)
    assert len(shelf.asked) == 1


def test_an_answer_with_more_or_less_than_it_says_is_not_taken(shelf: Shelf) -> None:
    shelf.headers = {"Content-Range": "bytes 999995-999998/999999"}
    with pytest.raises(TransferError, match="more of a stored file"):
        got(shelf, 999_995, 10)
    shelf.headers = {"Content-Range": "bytes 999995-1000004/2000000"}
    with pytest.raises(ApiError):  # it was asked for the rest, which is not there
        got(shelf, 999_995, 10)


def test_what_is_not_there_is_not_asked_for_again(shelf: Shelf) -> None:
    with pytest.raises(ApiError) as caught:
        got(shelf, len(DATA), 1)
    assert caught.value.slug == "wrong_range"
    assert len(shelf.asked) == 1


def test_an_agent_says_why_an_input_cannot_be_had(shelf: Shelf, tmp_path: Path) -> None:
    files, go_on = shelf.files(tmp_path), threading.Event()

    def code(sha256: str, offset: int = 0, abort: threading.Event = go_on) -> str:
        with pytest.raises(InputFailedError) as caught:
            files.part(sha256, offset, 1, abort)
        return caught.value.code

    assert code("0" * 64) == "input_missing"
    assert code(shelf.sha256, len(DATA)) == "input_invalid"
    shelf.headers = {"ETag": '"another"'}
    assert code(shelf.sha256) == "input_unreachable"
    ended = threading.Event()
    ended.set()
    assert code(shelf.sha256, 0, ended) == "input_unreachable"


def test_the_end_of_a_job_ends_the_wait_for_a_master(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common.transfers, "_FIRST_PAUSE", 600.0)
    ended = threading.Event()

    def away(_: int) -> None:
        ended.set()
        raise requests.ConnectionError

    shelf.before = away
    with pytest.raises(InputFailedError, match="the job was ended") as caught:
        shelf.files(tmp_path).part(shelf.sha256, 0, 1, ended)
    assert isinstance(caught.value.__cause__, EndedError)
