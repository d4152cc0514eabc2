"""Where a file system is poor, or somebody comes between, nothing of others is lost either."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest

from agent import beneath
from tests.agent.publish.attempt import PIECES, VIDEO, Attempt, tree

OVERWRITE = {"overwrite": True}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "finished"
    root.mkdir()
    return root


def attempt(tmp_path: Path, root: Path, **more: object) -> Attempt:
    return Attempt(tmp_path / "work", "media:finished/a", roots={"finished": root}, **more)  # type: ignore[arg-type]  # the fields of an attempt


@pytest.fixture
def without_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system such as NFS."""

    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(beneath, "_renameat2", refuse)


@pytest.mark.usefixtures("without_flags")
def test_without_flags_a_file_that_is_there_stays_unless_it_may_go(tmp_path: Path, root: Path) -> None:
    attempt(tmp_path, root).publishes()
    assert tree(root) == {"a": b"the whole film"}
    (root / "a").write_bytes(b"precious")
    with suppress(OSError):  # it has none here
        os.removexattr(root / "a", "user.ffrtmp.job")
    assert attempt(tmp_path, root, number=2).fails() == "output_exists"
    attempt(tmp_path, root, number=3, parameters=OVERWRITE).publishes()
    assert tree(root) == {"a": b"the whole film"}
    assert [path.name for path in root.iterdir()] == ["a"]


@pytest.mark.usefixtures("without_flags")
def test_without_flags_a_directory_is_made_but_not_replaced(tmp_path: Path, root: Path) -> None:
    attempt(tmp_path, root).publishes(PIECES, pieces=True)
    again = attempt(tmp_path, root, number=2, parameters=OVERWRITE)
    assert again.fails({**PIECES, "0003.m4s": b"third"}, pieces=True) == "output_refused"
    assert "remove it first" in again.message
    assert tree(root / "a") == PIECES
    assert [path.name for path in root.iterdir()] == ["a"]


def test_what_comes_between_the_look_and_the_exchange_is_put_back(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt(tmp_path, root).publishes()
    came: list[int] = []

    def exchange(directory: int, one: bytes, other: bytes) -> None:
        if not came:
            came.append(1)
            (root / "theirs").write_bytes(b"precious")
            (root / "theirs").replace(root / "a")
        beneath.exchange(directory, one, other)

    monkeypatch.setattr("agent.publish.settle.exchange", exchange)
    assert attempt(tmp_path, root, number=2).fails(VIDEO) == "output_exists"
    assert tree(root) == {"a": b"precious"}
    assert [path.name for path in root.iterdir()] == ["a"]
