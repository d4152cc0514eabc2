"""An agent gets stored files through its cache, once for several jobs, and stores what jobs make."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from agent.cache import Cache
from agent.files import EndedError, Files
from agent.inputs.rules import InputFailedError
from common.client import MasterClient
from tests.api.corner import Corner
from tests.files.support import begin, content, send, sha256_of, store
from tests.masters import Client, Master

LIMIT = 10**9


@pytest.fixture
def data(corner: Corner) -> bytes:
    return content(3_000_000, corner.labels)


@pytest.fixture
def asked() -> list[str]:
    """What was got from the master."""
    return []


@pytest.fixture
def files(master: Master, connect: Callable[..., MasterClient], tmp_path: Path, asked: list[str]) -> Files:
    client = connect(master)
    really = client.open_content

    def open_content(path: str, offset: int = 0) -> Any:
        asked.append(f"{path} from {offset}")
        return really(path, offset)

    client.open_content = open_content  # type: ignore[method-assign,assignment]
    return Files(client, Cache(tmp_path / "cache", 10_000_000), patience=5)


def read(files: Files, sha256: str, limit: int = LIMIT) -> bytes:
    descriptor = files.open(sha256, limit, threading.Event())
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def failure(files: Files, sha256: str, limit: int = LIMIT, abort: threading.Event | None = None) -> str:
    with pytest.raises(InputFailedError) as caught:
        files.open(sha256, limit, abort or threading.Event())
    return caught.value.code


def test_a_file_is_got_once(files: Files, client: Client, data: bytes, asked: list[str]) -> None:
    sha256 = store(client, data)["sha256"]
    assert [read(files, sha256) for _ in range(3)] == [data] * 3
    assert asked == [f"/files/{sha256} from 0"]


def test_several_jobs_that_want_it_at_once_share_it(
    files: Files, client: Client, data: bytes, asked: list[str]
) -> None:
    sha256 = store(client, data)["sha256"]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: read(files, sha256), range(4))) == [data] * 4
    assert len(asked) == 1


def test_a_damaged_one_is_got_again(
    files: Files, client: Client, data: bytes, asked: list[str], tmp_path: Path
) -> None:
    sha256 = store(client, data)["sha256"]
    read(files, sha256)
    with (tmp_path / "cache" / sha256).open("r+b") as file:
        file.write(b"damaged")
    assert read(files, sha256) == data
    assert len(asked) == 2


def test_what_an_earlier_agent_has_got_of_it_is_not_got_again(
    files: Files, client: Client, data: bytes, asked: list[str], tmp_path: Path
) -> None:
    sha256 = store(client, data)["sha256"]
    (tmp_path / "cache" / f".{sha256}.part").write_bytes(data[:2_000_000])
    assert read(files, sha256) == data
    assert asked == [f"/files/{sha256} from 2000000"]


def test_one_that_is_larger_than_the_cache_is_read_and_does_not_stay(
    files: Files, client: Client, tmp_path: Path
) -> None:
    data = content(11_000_000, "larger")
    small = content(1000, "small")
    kept = store(client, small)["sha256"]
    read(files, kept)
    assert read(files, put(client, data)) == data
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [kept]


def put(client: Client, data: bytes) -> str:
    """Larger than one piece."""
    begun = begin(client, data)
    for offset in range(0, len(data), 8 * 2**20):
        send(client, begun["id"], offset, data[offset : offset + 8 * 2**20])
    return sha256_of(data)


def test_what_cannot_be_had_fails_with_its_code(files: Files, client: Client, data: bytes) -> None:
    assert failure(files, "0" * 64) == "input_missing"
    sha256 = store(client, data)["sha256"]
    assert failure(files, sha256, limit=len(data) - 1) == "input_invalid"
    abort = threading.Event()
    abort.set()
    assert failure(files, sha256, abort=abort) == "input_unreachable"
    assert read(files, sha256, limit=len(data)) == data


def test_what_a_job_made_is_stored_by_the_node_that_holds_it(
    master: Master, connect: Callable[..., MasterClient], corner: Corner, tmp_path: Path, data: bytes
) -> None:
    node = corner.register(credential="of-the-node-" + corner.labels["corner"])
    corner.submit()
    job_id = corner.poll(node["id"])["job"]["id"]
    files = Files(
        connect(master, "of-the-node-" + corner.labels["corner"]), Cache(tmp_path / "cache", 10_000_000)
    )
    made = tmp_path / "out.mp4"
    made.write_bytes(data)
    assert files.put(made, job_id, threading.Event()) == sha256_of(data)
    (file,) = corner.client.get("/files", params={"sha256": sha256_of(data)}).json()["files"]
    assert (file["name"], file["media_type"]) == ("out.mp4", "video/mp4")
    abort = threading.Event()
    abort.set()
    with pytest.raises(EndedError):
        files.put(made, job_id, abort)
