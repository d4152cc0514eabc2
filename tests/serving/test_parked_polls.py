"""A thousand agents wait for jobs without a thread for any of them, and one is woken for one job."""

from __future__ import annotations

import json
import select
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.masters import Client, Master, patient_master, wait_until
from tests.serving.conftest import receive

MANY = 1000
THREADS = 16
"""What the master has at most, for chores of its own too."""


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with patient_master(tmp_path_factory.mktemp("farm") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def client(master: Master) -> Iterator[Client]:
    with master.client() as session:
        yield session


class Polls:
    """Connections with a poll on each."""

    def __init__(self, master: Master, client: Client) -> None:
        self._master = master
        self._client = client
        self._context = ssl.create_default_context(cafile=str(master.ca))
        # TLS 1.3 sends session tickets at some time; here nothing is to come before an answer.
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.open: dict[int, ssl.SSLSocket] = {}

    def begin(self, node_id: str, wait: int = 60) -> ssl.SSLSocket:
        raw = socket.create_connection(("localhost", self._master.port), timeout=30)
        poll = self._context.wrap_socket(raw, server_hostname="localhost")
        self.open[poll.fileno()] = poll
        self.ask(poll, node_id, wait)
        return poll

    def ask(self, poll: ssl.SSLSocket, node_id: str, wait: int = 60) -> None:
        poll.sendall(
            f"GET /jobs/next?node_id={node_id}&wait={wait} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        )

    def parked(self) -> int:
        lines = self._client.get("/metrics").text.splitlines()
        return int(float(next(line.split()[1] for line in lines if line.startswith("ffrtmp_parked_polls "))))

    def answered(self, seconds: float) -> list[ssl.SSLSocket]:
        """Those that something came for, within that time at most."""
        poller = select.poll()
        for fd in self.open:
            poller.register(fd, select.POLLIN)
        return [self.open[fd] for fd, _ in poller.poll(seconds * 1000)]

    def close(self) -> None:
        for poll in self.open.values():
            poll.close()
        wait_until(lambda: self.parked() == 0, "who hangs up waits no longer")


@pytest.fixture
def polls(master: Master, client: Client) -> Iterator[Polls]:
    made = Polls(master, client)
    yield made
    made.close()


def register(client: Client) -> str:
    answer = client.post("/nodes/register", json={"address": "n"})
    assert answer.ok, answer.text
    return str(answer.json()["id"])


def submit(client: Client) -> str:
    answer = client.post("/jobs", json={"scenario": "480p-h264"})
    assert answer.ok, answer.text
    return str(answer.json()["id"])


def answer_of(poll: ssl.SSLSocket) -> dict[str, Any]:
    head = receive(poll, b"\r\n\r\n").decode().lower()
    length = next(
        int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")
    )
    body = b""
    while len(body) < length:
        body += poll.recv(length - len(body))
    found: dict[str, Any] = json.loads(body)
    return found


def test_a_thousand_polls_hold_no_thread_and_one_is_woken_for_a_job(
    master: Master, client: Client, polls: Polls
) -> None:
    for _ in range(MANY):
        polls.begin(register(client))
    wait_until(lambda: polls.parked() == MANY, "all are parked", seconds=60)
    worker = psutil.Process(master.worker_pid())
    assert worker.num_threads() <= THREADS
    assert client.get("/health").ok
    job_id = submit(client)
    woken = polls.answered(10)
    assert len(woken) == 1
    assert answer_of(woken[0])["job"]["id"] == job_id
    assert polls.parked() == MANY - 1
    assert polls.answered(0.2) == []
    assert worker.num_threads() <= THREADS


def test_a_poll_whose_client_hangs_up_gets_no_job(client: Client, polls: Polls) -> None:
    gone = polls.begin(register(client))
    wait_until(lambda: polls.parked() == 1, "it is parked")
    del polls.open[gone.fileno()]
    gone.close()
    wait_until(lambda: polls.parked() == 0, "it is gone")
    other = polls.begin(register(client))
    job_id = submit(client)
    assert answer_of(other)["job"]["id"] == job_id


def test_a_poll_that_is_in_vain_is_answered_when_its_time_is_over(client: Client, polls: Polls) -> None:
    poll = polls.begin(register(client), wait=1)
    begun = time.monotonic()
    assert answer_of(poll)["job"] is None
    assert time.monotonic() - begun >= 0.9


def test_what_is_asked_behind_a_poll_is_answered_behind_it(client: Client, polls: Polls) -> None:
    node_id = register(client)
    poll = polls.begin(node_id)
    wait_until(lambda: polls.parked() == 1, "it is parked")
    poll.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
    assert polls.answered(0.2) == []
    job_id = submit(client)
    assert answer_of(poll)["job"]["id"] == job_id
    assert [answer_of(poll) for _ in range(2)] == [{"status": "healthy"}] * 2
