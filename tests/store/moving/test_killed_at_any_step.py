"""Killed at any step, the same command goes on: all records are in one place, and never halves in two."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from master.store.moving import left
from master.store.moving.contents import Contents
from master.store.moving.directory import Directory
from master.store.moving.move import Place, move
from master.store.postgres.database import Database
from tests.core.support import FakeClock
from tests.databases import Server
from tests.store.moving.farms import contents

STEPS: list[tuple[Any, str]] = [
    (os, "fsync"),
    (os, "rmdir"),
    (Path, "rename"),
    (Path, "unlink"),
    (Path, "mkdir"),
    (psycopg.Connection, "execute"),
    (psycopg.Cursor, "copy"),
]
"""What changes something on a disk, or in a database."""


def test_on_the_way_to_a_database(state_dir: Path, postgresql: Server, clock: FakeClock) -> None:
    goes_on(Directory(state_dir), Database(postgresql.new_schema()), clock, every=4)


def test_on_the_way_to_a_directory(state_dir: Path, postgresql: Server, clock: FakeClock) -> None:
    url = postgresql.new_schema()
    move(Directory(state_dir), Database(url), clock().wall)
    goes_on(Database(url), Directory(state_dir), clock, every=1)


def goes_on(source: Place, target: Place, clock: FakeClock, every: int) -> None:
    """Killed at one step after the other, until there are no more."""
    expected = contents(source)
    for step in count(1, every):
        done = moved_but_killed_at(step, source, target, clock)
        assert not (done and step == 1)
        assert found(source, target) == expected
        if done:
            assert step > 5 * every
            return


def found(source: Place, target: Place) -> Contents:
    """The records are where no master is refused; if at both places, they are the same."""
    places = [place for place in (source, target) if is_used(place)]
    assert places
    (known,) = {contents(place) for place in places}
    return known


def is_used(place: Place) -> bool:
    """Whether there is something that a master would start from."""
    if isinstance(place, Directory):
        return left.refusal(place.path) is None and left.has_records(place.path)
    with place.held(make=True):
        return place.departure() is None and not place.is_empty()


def moved_but_killed_at(step: int, source: Place, target: Place, clock: FakeClock) -> bool:
    """Whether it came to its end before."""
    child = os.fork()
    if child == 0:
        try:
            kill_at(step)
            move(source, target, clock().wall)
        except BaseException as error:  # noqa: BLE001 - the child must not go on with the tests
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL)
    return status == 0


def kill_at(step: int) -> None:
    """This process is killed just before it does the step with this number."""
    steps = count(1)

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    for where, name in STEPS:
        setattr(where, name, counted(getattr(where, name)))
