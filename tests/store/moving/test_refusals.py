"""What cannot be moved stays as it is, and a sentence says why."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from common.locks import hold
from master.store import snapshot
from master.store.errors import StoreError
from master.store.moving import left
from master.store.moving.directory import Directory
from master.store.moving.move import MoveError, Place, move
from master.store.postgres import filling
from master.store.postgres.database import Database
from master.store.postgres.store import PostgresStore
from tests.core.support import FakeClock, submit
from tests.databases import Server
from tests.store.moving.farms import contents, shared_farm


@pytest.fixture
def url(postgresql: Server) -> str:
    return postgresql.new_schema()


def refused(source: Place, target: Place, clock: FakeClock) -> str:
    with pytest.raises(MoveError) as error:
        move(source, target, clock().wall)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_while_a_master_uses_the_directory(state_dir: Path, url: str, clock: FakeClock) -> None:
    lock = hold(state_dir / "lock", 0)  # as it does
    said = f"a master uses {state_dir}; stop it first"
    assert refused(Directory(state_dir), Database(url), clock) == said
    with shared_farm(url, state_dir.with_name("other"), clock):
        pass
    assert refused(Database(url), Directory(state_dir), clock) == said
    os.close(lock)


def test_while_a_master_uses_the_database(state_dir: Path, url: str, clock: FakeClock) -> None:
    with shared_farm(url, state_dir, clock):
        said = f"a master uses {url}; stop it first"
        assert refused(Directory(state_dir), Database(url), clock) == said
        assert refused(Database(url), Directory(state_dir), clock) == said


def test_no_master_begins_meanwhile(
    state_dir: Path, url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("master.store.postgres.connecting.PATIENCE", 1.0)
    with Database(url).held(make=True), pytest.raises(StoreError, match="are just being moved"):
        PostgresStore(url)
    with Directory(state_dir).held(make=False), pytest.raises(BlockingIOError):
        hold(state_dir / "lock", 0)


def test_to_where_records_are(state_dir: Path, url: str, tmp_path: Path, clock: FakeClock) -> None:
    with shared_farm(url, tmp_path / "master", clock) as farm:
        submit(farm)
    before = contents(Directory(state_dir)), contents(Database(url))
    assert "has records of its own (1 jobs, 0 nodes, 1 events)" in refused(
        Directory(state_dir), Database(url), clock
    )
    assert "has records of its own (12 jobs, 2 nodes" in refused(Database(url), Directory(state_dir), clock)
    assert (contents(Directory(state_dir)), contents(Database(url))) == before


def test_from_where_there_are_none(tmp_path: Path, url: str, clock: FakeClock) -> None:
    assert "there is no directory" in refused(Directory(tmp_path / "none"), Database(url), clock)
    assert not (tmp_path / "none").exists()
    assert "there is no journal in" in refused(Directory(tmp_path), Database(url), clock)
    assert f"there is no farm in {url}" in refused(Database(url), Directory(tmp_path), clock)
    with psycopg.connect(url) as connection:
        tables = connection.execute("select 1 from pg_tables where schemaname = current_schema()").fetchall()
    assert tables == []


def test_to_itself(state_dir: Path, clock: FakeClock) -> None:
    assert "are the same" in refused(Directory(state_dir), Directory(state_dir / "../state"), clock)


def test_to_a_database_that_cannot_be_reached(state_dir: Path, clock: FakeClock) -> None:
    away = Database("postgresql:///farm?host=/nowhere&connect_timeout=2")
    assert "cannot be used: connection is bad" in refused(Directory(state_dir), away, clock)
    assert not left.refusal(state_dir)


def test_a_copy_from_which_no_master_has_started(state_dir: Path, url: str, clock: FakeClock) -> None:
    (state_dir / "restored").touch()
    assert "was restored from a copy, and no master has started from it" in refused(
        Directory(state_dir), Database(url), clock
    )


def lose_it(file: Path) -> None:
    file.unlink()


def damage_it(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:-12] + b"x" + data[-11:])


@pytest.mark.parametrize(
    ("what", "said"),
    [(lose_it, "events the last are missing in"), (damage_it, "is damaged at offset 0")],
    ids=["lost", "damaged"],
)
def test_a_history_that_is_not_whole(
    state_dir: Path, url: str, clock: FakeClock, what: Callable[[Path], None], said: str
) -> None:
    snapshot.fold(state_dir / "journal", 1)
    (file,) = (state_dir / "audit").glob("*.gz")
    assert gzip.decompress(file.read_bytes())
    what(file)
    assert said in refused(Directory(state_dir), Database(url), clock)


def test_what_would_be_read_back_otherwise(
    state_dir: Path, url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = filling._copy

    def forgetful(connection, table, columns, values):  # type: ignore[no-untyped-def]
        copy(connection, table, columns, list(values)[:-1] if table == "tokens" else values)

    monkeypatch.setattr(filling, "_copy", forgetful)
    assert "was read back otherwise" in refused(Directory(state_dir), Database(url), clock)
    monkeypatch.undo()
    assert not left.refusal(state_dir)
    assert move(Directory(state_dir), Database(url), clock().wall).contents.tokens == 2


def test_no_master_begins_at_the_place_that_was_left(state_dir: Path, url: str, clock: FakeClock) -> None:
    move(Directory(state_dir), Database(url), clock().wall)
    assert f"were moved to {url} at 2026-" in (left.refusal(state_dir) or "")
    elsewhere = Directory(state_dir.with_name("elsewhere"))
    assert f"were moved to {url} at" in refused(Directory(state_dir), elsewhere, clock)
    move(Database(url), elsewhere, clock().wall)
    with pytest.raises(StoreError, match=f"were moved to {elsewhere.name} at 2026-"):
        PostgresStore(url)
