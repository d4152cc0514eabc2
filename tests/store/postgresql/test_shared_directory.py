"""All masters of a farm name one directory, and no other farm's; who names another is told what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from master.store.errors import StoreError
from master.store.postgres.store import PostgresStore
from tests.databases import Server

Opened = Callable[..., PostgresStore]


@pytest.fixture
def url(postgresql: Server) -> str:
    return postgresql.new_schema()


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens a store as a master does; all are closed with the test."""
    stores = []

    def open_(url: str, directory: Path | None, patience: float = 0.0) -> PostgresStore:
        store = PostgresStore(url, patience=patience)
        stores.append(store)
        try:
            store.agree(directory)
        except StoreError:
            store.close()
            raise
        return store

    yield open_
    for store in stores:
        store.close()


def test_the_first_one_marks_it_and_others_may_come_without_waiting_for_its_end(
    opened: Opened, url: str, tmp_path: Path
) -> None:
    assert opened(url, tmp_path / "shared").first
    farm_id = (tmp_path / "shared/farm.id").read_text()
    assert re.fullmatch(r"[0-9a-f-]{36}\n", farm_id)
    assert not opened(url, tmp_path / "shared", patience=3600.0).first
    assert (tmp_path / "shared/farm.id").read_text() == farm_id


def test_a_directory_that_is_not_mounted_is_not_begun_anew(opened: Opened, url: str, tmp_path: Path) -> None:
    opened(url, tmp_path / "shared")
    farm_id = (tmp_path / "shared/farm.id").read_text().strip()
    with pytest.raises(StoreError, match=rf"Is it mounted\? .* write {farm_id} into .*/other/farm.id"):
        opened(url, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_another_farms_directory_is_refused_until_it_is_given_to_this_one(
    opened: Opened, url: str, postgresql: Server, tmp_path: Path
) -> None:
    opened(postgresql.new_schema(), tmp_path / "shared")
    with pytest.raises(StoreError, match=r"is another farm's: .* write ([0-9a-f-]{36}) into") as refused:
        opened(url, tmp_path / "shared")
    said = re.search(r"write ([0-9a-f-]{36}) into", str(refused.value))
    assert said is not None
    (tmp_path / "shared/farm.id").write_text(said[1])
    opened(url, tmp_path / "shared")


def test_a_master_that_names_none_is_refused_where_others_share_one(
    opened: Opened, url: str, tmp_path: Path
) -> None:
    opened(url, tmp_path / "shared").close()
    with pytest.raises(StoreError, match="name it with --shared-dir"):
        opened(url, None)


def test_two_masters_need_a_directory(opened: Opened, url: str) -> None:
    opened(url, None)
    with pytest.raises(StoreError, match="start each with --shared-dir"):
        opened(url, None)


def test_one_that_shares_does_not_join_one_that_does_not(opened: Opened, url: str, tmp_path: Path) -> None:
    opened(url, None)
    with pytest.raises(StoreError, match="stop that one, move what it keeps"):
        opened(url, tmp_path / "shared")
    assert not (tmp_path / "shared").exists()


def test_one_that_kept_all_to_itself_may_begin_to_share(opened: Opened, url: str, tmp_path: Path) -> None:
    opened(url, None).close()
    assert opened(url, tmp_path / "shared").first
