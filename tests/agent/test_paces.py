"""How fast steps went is kept in a file, for the agent's next start; one that is no good is passed over."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from agent.advance import Advance
from agent.paces import MOST_KINDS, Paces
from common.estimate import Step


def test_what_one_agent_has_seen_the_next_one_knows(tmp_path: Path) -> None:
    file = tmp_path / "state" / "paces.json"
    paces = Paces(file)
    paces.learn({"encode": 0.5, "measure": 2})
    assert not file.exists()
    paces.keep()
    assert Paces(file).known() == {"encode": 0.5, "measure": 2.0}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_attempt_begins_with_what_is_kept(tmp_path: Path) -> None:
    paces = Paces(tmp_path / "paces.json")
    paces.learn({"encode": 0.5})
    paces.keep()
    told: list[float | None] = []
    advance = Advance(
        lambda progress, _: told.append(progress.seconds_left), Paces(tmp_path / "paces.json"), lambda: 0.0
    )
    advance.plan((Step("encode", 10),))
    advance.begin(Step("encode", 10))
    assert told == [5.0]


def test_it_is_written_only_when_there_is_something_new(tmp_path: Path) -> None:
    file = tmp_path / "paces.json"
    paces = Paces(file)
    paces.keep()
    assert not file.exists()
    paces.learn({"encode": 1.0})
    paces.keep()
    written = file.stat().st_ino
    paces.keep()
    assert file.stat().st_ino == written


def test_the_newest_counts_as_much_as_all_before_it() -> None:
    paces = Paces()
    for pace in (1.0, 2.0, 4.0):
        paces.learn({"encode": pace})
    assert paces.known() == {"encode": 2.75}


def test_of_too_many_kinds_those_that_were_not_seen_for_longest_are_dropped(tmp_path: Path) -> None:
    paces = Paces(tmp_path / "paces.json")
    paces.learn({"first": 1.0, "second": 1.0})
    paces.learn({str(number): 1.0 for number in range(MOST_KINDS - 2)})
    paces.learn({"first": 1.0})
    paces.learn({"new": 1.0})
    paces.keep()
    known = Paces(tmp_path / "paces.json").known()
    assert len(known) == MOST_KINDS
    assert "second" not in known
    assert {"first", "new"} <= set(known)


def test_a_name_that_is_too_long_is_not_kept(tmp_path: Path) -> None:
    paces = Paces(tmp_path / "paces.json")
    paces.learn({"x" * 201: 1.0, "encode": 1.0, "slow": 0.0, "odd": float("nan")})
    paces.keep()
    assert Paces(tmp_path / "paces.json").known() == {"encode": 1.0}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\x00",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        json.dumps({"version": 2, "paces": {"encode": 1.0}}).encode(),
        json.dumps({"version": 1}).encode(),
        json.dumps({"version": 1, "paces": [1.0]}).encode(),
        *(
            json.dumps({"version": 1, "paces": {"encode": pace}}).encode()
            for pace in (0, -1, "1", None, True, float("nan"), float("inf"))
        ),
        b'{"version": 1, "paces": {"encode": 1' + b"0" * 400 + b"}}",
        json.dumps({"version": 1, "paces": {"x" * 201: 1.0}}).encode(),
        json.dumps({"version": 1, "paces": {str(n): 1.0 for n in range(10_000)}}).encode(),
    ],
    ids=lambda text: text[:60].decode(errors="replace"),
)
def test_a_broken_file_is_as_none_and_is_replaced(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "paces.json"
    file.write_bytes(text)
    paces = Paces(file)
    assert paces.known() == {}
    paces.learn({"encode": 3.0})
    paces.keep()
    assert Paces(file).known() == {"encode": 3.0}


def test_where_it_cannot_be_written_the_agent_works_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "paces.json").mkdir()
    paces = Paces(tmp_path / "paces.json")
    paces.learn({"encode": 3.0})
    paces.keep()
    assert paces.known() == {"encode": 3.0}
    assert "Cannot write" in caplog.text
