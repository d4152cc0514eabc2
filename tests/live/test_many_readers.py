"""Hundreds of readers cost no thread and little memory, are bounded in number, and end with the master."""

from __future__ import annotations

import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from common import problems
from tests.api.corner import got, refused
from tests.live.listening import token
from tests.masters import Client, Master, start_master, wait_until
from tests.serving.conftest import read_all, receive

CROWD = 500


@pytest.fixture
def few_threads(tmp_path: Path) -> Iterator[Master]:
    running = start_master(tmp_path / "state", threads=8, max_streams=CROWD)
    yield running
    running.stop()
    assert "Traceback" not in running.log.read_text()


def listen(master: Master, context: ssl.SSLContext, path: str = "/events") -> ssl.SSLSocket:
    client = context.wrap_socket(
        socket.create_connection(("127.0.0.1", master.port), 30), server_hostname="localhost"
    )
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{master.port}\r\n\r\n".encode())
    assert receive(client, b"\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
    return client


def worker(master: Master) -> Path:
    return Path(f"/proc/{master.worker_pid()}")


def threads(master: Master) -> int:
    return len(list((worker(master) / "task").iterdir()))


def memory(master: Master) -> int:
    """Bytes that the serving process holds."""
    lines = (worker(master) / "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def test_a_crowd_is_served_by_few_threads_hears_all_and_ends_whole(few_threads: Master) -> None:
    context = ssl.create_default_context(cafile=str(few_threads.ca))
    with few_threads.client() as client, ExitStack() as crowd:
        got(client.get("/nodes"))
        busy, before = threads(few_threads), memory(few_threads)
        readers = [crowd.enter_context(listen(few_threads, context)) for _ in range(CROWD)]
        refused(client.get("/events"), problems.UNAVAILABLE)
        refused_twice = client.get("/events")
        assert "--max-streams" in refused_twice.json()["detail"]
        assert int(refused_twice.headers["Retry-After"]) > 0
        # Those of the pool, which are made when they are needed first, and the one that wakes streams.
        assert threads(few_threads) <= busy + 8 + 1
        assert memory(few_threads) - before < CROWD * 100 * 1024
        for _ in range(3):
            job_id = got(client.post("/jobs", json={"scenario": "720p-h264"}), 201)["id"]
            for reader in readers:
                assert b"event: job_submitted\n" in receive(reader, job_id.encode() + b'","node_id":null')
                receive(reader, b"\r\n")
        got(client.get("/health"))
        few_threads.process.send_signal(signal.SIGTERM)
        for reader in readers:
            assert read_all(reader).endswith(b"0\r\n\r\n")
    assert few_threads.stop() == 0


def test_room_is_made_when_a_reader_leaves_and_one_token_has_a_part_of_it(tmp_path: Path) -> None:
    master = start_master(tmp_path / "state", max_streams=8)
    context = ssl.create_default_context(cafile=str(master.ca))
    try:
        with master.client() as client, ExitStack() as crowd:
            made = token(client, "viewer", "greedy")
            with master.client(made["token"]) as greedy:
                held = [greedy.get("/events", stream=True) for _ in range(2)]
                assert [answer.status_code for answer in held] == [200, 200]
                with master.client(made["token"]) as again:
                    refused(again.get("/events"), problems.UNAVAILABLE)
                for _ in range(6):
                    crowd.enter_context(listen(master, context))
                refused(client.get("/events"), problems.UNAVAILABLE)
                for answer in held:
                    answer.close()
            wait_until(lambda: _opens(client), "a stream may be opened again")
    finally:
        assert master.stop() == 0


def _opens(client: Client) -> bool:
    with client.get("/events", stream=True) as answer:
        return answer.ok


def test_a_reader_far_behind_is_caught_up_and_queues_nothing(tmp_path: Path) -> None:
    """It does not read at all while 4000 events come, twice what the memory keeps, and then has them all."""
    master = start_master(tmp_path / "state")
    context = ssl.create_default_context(cafile=str(master.ca))
    jobs = {"jobs": [{"scenario": "720p-h264"}] * 1000}
    try:
        with master.client() as client, listen(master, context) as lazy:
            # A round before, so that all that grows once has grown.
            got(client.post("/jobs/batch", json=jobs), 201)
            for _ in range(3):
                got(client.post("/jobs/batch", json=jobs), 201)
            newest = got(client.get("/audit", params={"limit": "1"}))["entries"][0]["seq"]
            text = receive_until(lazy, f"id: {newest}\n".encode())
            numbers = [int(line[4:]) for line in text.splitlines() if line.startswith(b"id: ")]
            assert b"event: gap" not in text
            assert numbers == list(range(numbers[0], newest + 1))
            assert len(numbers) >= 4000
    finally:
        assert master.stop() == 0


def receive_until(client: ssl.SSLSocket, mark: bytes) -> bytes:
    """What comes up to a mark, and maybe some more; without the sizes of chunks, which stand alone."""
    received = bytearray()
    while mark not in received:
        data = client.recv(65536)
        assert data
        received += data
    return bytes(received)
