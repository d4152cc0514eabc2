"""A master that is killed (-9) while files come loses none that it acknowledged, and shows no half one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.client import MasterClient
from common.transfers import Patience, hash_of, open_regular, put
from tests.api.corner import got
from tests.files.support import begin, content, send, sha256_of, store
from tests.masters import Master, start_master, wait_until


@pytest.fixture
def masters(tmp_path: Path) -> Iterator[list[Master]]:
    started = [start_master(tmp_path / "state")]
    yield started
    assert started[-1].stop() == 0


def restart(masters: list[Master]) -> Master:
    masters[-1].kill()
    masters.append(start_master(masters[-1].state_dir, port=masters[-1].port))
    return masters[-1]


def test_what_was_acknowledged_is_there_and_the_upload_goes_on(masters: list[Master]) -> None:
    whole, half = content(300_000, "whole"), content(3_000_000, "half")
    with masters[0].client() as client:
        file = store(client, whole, name="whole.mp4")
        upload_id = begin(client, half)["id"]
        got(send(client, upload_id, 0, half[:1_000_000]))
    with restart(masters).client() as client:
        assert [each["sha256"] for each in got(client.get("/files"))["files"]] == [file["sha256"]]
        assert client.get(f"/files/{file['sha256']}").content == whole
        again = begin(client, half)
        assert (again["id"], again["offset"]) == (upload_id, 1_000_000)
        got(send(client, upload_id, 1_000_000, half[1_000_000:]))
        wait_until(lambda: begin(client, half)["file"], "it is stored when all is read once more")
        assert client.get(f"/files/{sha256_of(half)}").content == half


def test_a_sender_outlives_kills_in_the_middle(
    masters: list[Master], connect: Callable[..., MasterClient], tmp_path: Path
) -> None:
    data = content(60_000_000, "kills")
    (tmp_path / "source").write_bytes(data)
    sent = threading.Semaphore(0)
    client = connect(masters[0])

    def told(done: int, _whole: int) -> None:
        if done:
            sent.release()

    def go() -> None:
        with open_regular(tmp_path / "source") as file:
            sha256, size = hash_of(file)
            put(client, file, {"sha256": sha256, "size": size}, Patience(100), told)

    sender = threading.Thread(target=go)
    sender.start()
    for _ in range(2):
        assert sent.acquire(timeout=60)
        master = restart(masters)
    sender.join(100)
    assert not sender.is_alive()
    with master.client() as operator:
        assert operator.get(f"/files/{sha256_of(data)}").content == data
        assert not list((master.state_dir / "files" / "uploads").iterdir())
