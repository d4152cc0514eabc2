"""Whole files go to the master and come back, through faults of the network and new starts of either side."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
import requests

from common.client import ApiError, MasterClient
from common.files_client import MAX_PIECE, file_path
from common.transfers import BusyError, Patience, TransferError, get, hash_of, open_regular, put
from tests.faults.proxy import Faults, Proxy
from tests.files.support import content, sha256_of
from tests.masters import Client, Master, start_master

Connect = Callable[..., MasterClient]
LARGE = content(20_000_000, "transfers")
"""Three pieces."""


def make(directory: Path, data: bytes) -> Path:
    path = directory / "source"
    path.write_bytes(data)
    return path


def send(client: MasterClient, path: Path, patience: Patience | None = None, **how: Any) -> dict[str, Any]:
    with open_regular(path) as file:
        sha256, size = hash_of(file)
        return put(client, file, {"sha256": sha256, "size": size}, patience or Patience(20), **how)


def receive(client: MasterClient, data: bytes, target: Path, **how: Any) -> int:
    sha256 = sha256_of(data)
    return get(client, file_path(sha256), sha256, target, how.pop("patience", Patience(20)), **how)


def test_a_file_comes_back_as_it_went(master: Master, connect: Connect, tmp_path: Path) -> None:
    client, told = connect(master), []
    send(client, make(tmp_path, LARGE), told=lambda done, whole: told.append((done, whole)))
    assert [done for done, _ in told] == [0, MAX_PIECE, 2 * MAX_PIECE, len(LARGE)]
    assert receive(client, LARGE, tmp_path / "copy") == len(LARGE)
    assert (tmp_path / "copy").read_bytes() == LARGE
    assert {each.name for each in tmp_path.iterdir()} >= {"source", "copy"}
    assert not list(tmp_path.glob(".*.part"))


def test_what_is_there_is_not_sent_again(master: Master, connect: Connect, tmp_path: Path) -> None:
    client, path = connect(master), make(tmp_path, content(100_000, "twice"))
    first = send(client, path)
    sent: list[Any] = []
    client.send_piece = lambda *_: sent.append(_)  # type: ignore[method-assign,assignment]
    assert send(client, path)["sha256"] == first["sha256"]
    assert sent == []


def test_connections_that_break_and_answers_that_are_lost_are_outlived(
    master: Master, connect: Connect, tmp_path: Path, open_proxy: Callable[[int], Proxy]
) -> None:
    data = content(20_000_000, "broken")
    proxy = open_proxy(master.port)
    client = connect(master, port=proxy.port)
    lost, cut, none = Faults(lose_replies=True), Faults(cut=40), Faults()
    # On open connections only: a handshake that is held up would be waited for.
    faults = chain([lost, none, cut, none, lost, none, cut], repeat(none))

    def heal(_pause: float) -> None:
        proxy.faults = Faults()

    def break_(_done: int, _whole: int) -> None:
        proxy.faults = next(faults)

    send(client, make(tmp_path, data), Patience(60, heal), told=break_)
    assert (proxy.lost_replies, proxy.cuts) == (2, 2)
    drops = iter(range(4))

    def drop(done: int, _whole: int) -> None:
        if done > 4_000_000 and next(drops, None) is not None:
            proxy.drop_all()

    receive(client, data, tmp_path / "copy", told=drop, patience=Patience(60, lambda _: None))
    assert hashlib.sha256((tmp_path / "copy").read_bytes()).hexdigest() == sha256_of(data)


def test_a_download_that_was_given_up_goes_on_where_it_ended(
    master: Master, connect: Connect, tmp_path: Path
) -> None:
    client, data = connect(master), content(5_000_000, "given up")
    send(client, make(tmp_path, data))

    class GivenUpError(Exception):
        pass

    def give_up(done: int, _whole: int) -> None:
        if done > 3_000_000:
            raise GivenUpError

    with pytest.raises(GivenUpError):
        receive(client, data, tmp_path / "copy", told=give_up)
    assert not (tmp_path / "copy").exists()
    (part,) = tmp_path.glob(".*.part")
    assert part.stat().st_size > 3_000_000
    seen: list[int] = []
    receive(client, data, tmp_path / "copy", told=lambda done, _: seen.append(done))
    assert min(seen) > 3_000_000
    assert (tmp_path / "copy").read_bytes() == data


@pytest.mark.parametrize("damage", [b"damaged", bytes(6_000_000)])
def test_an_unfinished_file_that_is_something_else_is_got_anew(
    master: Master, connect: Connect, tmp_path: Path, damage: bytes
) -> None:
    client, data = connect(master), content(5_000_000, "damage")
    send(client, make(tmp_path, data))
    (tmp_path / f".{sha256_of(data)}.part").write_bytes(damage)
    receive(client, data, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == data


def test_nothing_is_ever_written_over(master: Master, connect: Connect, tmp_path: Path) -> None:
    client, data = connect(master), content(1000, "over")
    send(client, make(tmp_path, data))
    (tmp_path / "copy").write_text("mine")
    with pytest.raises(FileExistsError):
        receive(client, data, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "mine"
    receive(client, data, tmp_path / "copy", overwrite=True)
    assert (tmp_path / "copy").read_bytes() == data


def test_a_file_that_is_got_already_is_not_got_by_a_second(
    master: Master, connect: Connect, tmp_path: Path
) -> None:
    client, data = connect(master), content(1_000_000, "second")
    send(client, make(tmp_path, data))
    refusals: list[Exception] = []

    def try_too(_done: int, _whole: int) -> None:
        with pytest.raises(BusyError) as caught:
            receive(client, data, tmp_path / "copy")
        refusals.append(caught.value)

    receive(client, data, tmp_path / "copy", told=try_too)
    assert refusals


def test_a_file_that_changes_while_it_is_sent_is_not_stored(
    master: Master, connect: Connect, tmp_path: Path, client: Client
) -> None:
    data = content(9_000_000, "changes")
    path = make(tmp_path, data)

    def change(done: int, _whole: int) -> None:
        if done:
            with path.open("r+b") as file:
                file.seek(-5, os.SEEK_END)
                file.write(b"other")

    with pytest.raises(TransferError, match="changed while it was sent"):
        send(connect(master), path, told=change)
    with pytest.raises(TransferError, match="became shorter"):
        send(connect(master), path, told=lambda done, _: os.truncate(path, 100) if done else None)
    assert client.get("/files", params={"sha256": sha256_of(data)}).json()["files"] == []


def test_two_that_send_the_same_file_at_once_both_have_it(
    master: Master, connect: Connect, tmp_path: Path, client: Client
) -> None:
    data = content(20_000_000, "at once")
    path, together = make(tmp_path, data), threading.Barrier(3)
    clients = [connect(master), connect(master), connect(master)]
    # Two of one sender, who share an upload, and one of another, who has one of its own.
    token = client.post("/tokens", json={"role": "submitter", "name": "at-once"}).json()["token"]
    clients[2] = connect(master, token.rpartition(".")[2])

    def go(who: MasterClient) -> dict[str, Any]:
        together.wait()
        return send(who, path)

    with ThreadPoolExecutor(3) as pool:
        files = list(pool.map(go, clients))
    assert {file["sha256"] for file in files} == {sha256_of(data)}
    assert client.get(f"/files/{sha256_of(data)}").content == data
    assert client.get("/files", params={"sha256": sha256_of(data)}).json()["files"][0]["owners"] == [
        "at-once"
    ]


def test_a_store_that_is_full_says_so_at_once(tmp_path: Path, connect: Connect) -> None:
    master = start_master(tmp_path / "state", files_quota="1M")
    try:
        with pytest.raises(ApiError, match="--files-quota") as caught:
            send(connect(master), make(tmp_path, content(1_100_000)), Patience(1000))
        assert caught.value.slug == "files_full"
    finally:
        assert master.stop() == 0


def test_a_master_that_stays_away_is_given_up(tmp_path: Path, connect: Connect) -> None:
    master = start_master(tmp_path / "state")
    client, times = connect(master), iter(range(0, 1000, 10))
    assert master.stop() == 0
    with pytest.raises(requests.ConnectionError):
        send(client, make(tmp_path, b"x"), Patience(60, lambda _: None, lambda: next(times)))


def test_a_directory_a_pipe_and_nothing_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(TransferError, match="name a file"):
            open_regular(path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "nothing")
