"""A refused connection tells that the master is down; silence and a broken connection do not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from agent.identity import Identity
from agent.instance import Instance, this_process
from agent.link import Link, nobody_listens
from common.address import Address
from tests.masters import free_port


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def down_after(port: int, timeout: float = 5.0) -> list[float]:
    """What a link is told of a request to `port` that fails."""

    class Client:
        address = Address("127.0.0.1", port)

    client: Any = Client()
    link = Link(client, Identity("node-1", "secret"), Instance("instance-1", this_process()), {})
    told: list[float] = []
    link.on_master_down = told.append
    with pytest.raises(requests.RequestException):
        link.call(lambda: requests.get(f"http://127.0.0.1:{port}/", timeout=timeout))
    return told


def test_where_nobody_listens_it_is_down() -> None:
    assert len(down_after(free_port())) == 1


def test_where_it_does_not_answer_nothing_is_known(listener: socket.socket) -> None:
    assert down_after(listener.getsockname()[1], timeout=0.2) == []


def test_where_it_breaks_the_connection_nothing_is_known(listener: socket.socket) -> None:
    def accept_and_close() -> None:
        listener.accept()[0].close()

    thread = threading.Thread(target=accept_and_close)
    thread.start()
    assert down_after(listener.getsockname()[1]) == []
    thread.join()


def test_each_address_of_its_name_must_refuse(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_port, closed_port = listener.getsockname()[1], free_port()
    ports: list[int] = []

    def getaddrinfo(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in ports]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    address, error = Address("master", 1), ConnectionRefusedError()
    for ports, down in (  # noqa: B007 - the stand-in for DNS reads it
        ([closed_port, closed_port], True),
        ([open_port, closed_port], False),
        ([], False),
    ):
        assert nobody_listens(address, error) is down
