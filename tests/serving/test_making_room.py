"""When there are too many connections, the crowd makes room, and never those who are known or few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from master.worker.admission import TELL_EVERY, Admission, address_of, crowd_out, relieve
from tests.masters import wait_until
from tests.serving.conftest import Server, receive

ROOM = 600 - 256
"""The connections of a server that may open 600 files."""


@dataclass(frozen=True, eq=False)
class Waiting:
    address: str
    known: bool = False
    held: int = 0


def test_strangers_go_before_the_known() -> None:
    known, stranger = Waiting("a", known=True), Waiting("b")
    assert crowd_out([known, stranger], 2) == [stranger, known]


def test_the_address_with_the_most_loses_those_that_waited_longest() -> None:
    few, crowd = [Waiting("few") for _ in range(3)], [Waiting("crowd") for _ in range(10)]
    assert crowd_out([*few, *crowd], 7) == crowd[:7]
    gone = crowd_out([*few, *crowd], 9)
    assert Counter(each.address for each in gone) == {"crowd": 8, "few": 1}


def test_an_empty_crowd_makes_no_room() -> None:
    assert crowd_out([], 5) == []


def test_memory_is_freed_by_the_address_that_holds_the_most_and_its_largest() -> None:
    small, large = Waiting("crowd", held=10), Waiting("crowd", held=90)
    other, empty, known = Waiting("few", held=95), Waiting("crowd"), Waiting("crowd", known=True, held=500)
    assert relieve([small, empty, other, known, large], 80) == [large]
    assert relieve([small, empty, other, known, large], 150) == [large, small, other]
    assert relieve([small, empty, other, known, large], 600) == [large, small, other, known]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::/64"),
        ("2001:db8::8", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
    ],
)
def test_an_ipv6_host_counts_with_all_that_its_network_has(host: str, address: str) -> None:
    assert address_of(host) == address


def test_refusals_are_told_once_a_minute_for_each_address() -> None:
    admission = Admission(1)
    assert admission.to_tell("192.0.2.7", 0.0) == 1
    assert [admission.to_tell("192.0.2.7", 1.0) for _ in range(5)] == [0] * 5
    assert admission.to_tell("192.0.2.8", 1.0) == 1
    assert admission.to_tell("192.0.2.7", TELL_EVERY) == 6


def test_reports_are_kept_track_of_for_a_bounded_number_of_addresses() -> None:
    admission = Admission(1)
    told = [admission.to_tell(f"192.0.{n >> 8}.{n & 255}", 0.0) for n in range(5000)]
    assert sum(told) == 1000
    assert admission.to_tell("198.51.100.1", TELL_EVERY) == 1


def test_a_crowd_pushes_out_itself_and_neither_agents_nor_other_addresses(
    launch: Callable[..., Server],
) -> None:
    server = launch(files=600).ready()
    question = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
    with ExitStack() as open_:
        agent = open_.enter_context(server.connect_tls("127.0.0.2"))
        agent.sendall(question + b"Authorization: Bearer x\r\n\r\n")
        receive(agent, b"}")
        neighbour = open_.enter_context(server.connect_tls("127.0.0.3"))
        crowd = [open_.enter_context(server.connect("127.0.0.2")) for _ in range(ROOM + 200)]
        wait_until(server.healthy, "another one is served")
        assert crowd[0].recv(1) == b""
        for client in (agent, neighbour):
            client.sendall(question + b"\r\n")
            receive(client, b"}")


def test_a_crowd_that_was_answered_pushes_out_neither_agents_nor_newcomers(
    launch: Callable[..., Server],
) -> None:
    server = launch(files=600).ready()
    question = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
    with ExitStack() as open_:
        agent = open_.enter_context(server.connect_tls("127.0.0.2"))
        agent.sendall(question + b"Authorization: Bearer x\r\n\r\n")
        receive(agent, b"}")
        for _ in range(ROOM + 50):
            client = open_.enter_context(server.connect_tls("127.0.0.2"))
            client.sendall(question + b"\r\n")
            receive(client, b"}")
        assert server.healthy()
        agent.sendall(question + b"\r\n")
        receive(agent, b"}")


def test_a_crowd_that_fills_the_memory_loses_its_largest_and_nobody_else(
    launch: Callable[..., Server],
) -> None:
    server = launch(held=4_000_000).ready()
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 600000\r\n\r\n"
    with ExitStack() as open_:
        neighbour = open_.enter_context(server.connect_tls("127.0.0.3"))
        neighbour.sendall(head + b"x" * 500_000)
        crowd = [open_.enter_context(server.connect_tls("127.0.0.2")) for _ in range(10)]
        for client in crowd:
            client.sendall(head + b"x" * 590_000)
        wait_until(lambda: server.count()["connections"] <= 2 + 6, "some are dropped")
        neighbour.sendall(b"x" * 100_000)
        assert b'"length": 600000,' in receive(neighbour, b"}")
