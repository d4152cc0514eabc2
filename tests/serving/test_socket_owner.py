"""The kernel tells whose program is at the other end of a local connection, however many there are."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from master import sockets
from tests.parts import missing

NOBODY = 65534
CONNECT = """
import os, socket, sys
os.setuid(int(sys.argv[1]))
client = socket.socket(socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET)
client.connect((sys.argv[2].encode(), int(sys.argv[3])))
client.recv(1)
"""
"""With the address as bytes, since the codec of names is loaded from where the other user may see nothing."""


@pytest.fixture(params=["sock_diag", "tables"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "tables":

        def forbidden(*_: object) -> int | None:
            raise PermissionError

        monkeypatch.setattr(sockets, "_ask_kernel", forbidden)


@pytest.fixture(params=["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def listener(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, str]]:
    """One that takes both kinds of addresses, and the address to call it by."""
    family = socket.AF_INET if request.param == "127.0.0.1" else socket.AF_INET6
    bound = "127.0.0.1" if family == socket.AF_INET else "::"
    with socket.create_server((bound, 0), family=family, dualstack_ipv6=family == socket.AF_INET6) as made:
        made.settimeout(10)
        yield made, "127.0.0.1" if "127" in request.param else "::1"


@pytest.mark.usefixtures("_way")
def test_our_own_socket_is_ours(listener: tuple[socket.socket, str]) -> None:
    server, host = listener
    with socket.create_connection((host, server.getsockname()[1])):
        connection, _ = server.accept()
        with connection:
            assert sockets.owner_of(connection) == os.geteuid()


@pytest.mark.usefixtures("_way")
def test_another_users_socket_is_not(listener: tuple[socket.socket, str]) -> None:
    if os.geteuid() != 0:
        missing("only root may become another user")
    server, host = listener
    arguments = [sys.executable, "-c", CONNECT, str(NOBODY), host, str(server.getsockname()[1])]
    with subprocess.Popen(arguments) as other:
        connection, _ = server.accept()
        with connection:
            assert sockets.owner_of(connection) == NOBODY
        other.wait(10)


@pytest.mark.usefixtures("_way")
def test_a_socket_that_its_program_has_closed_is_nobodys(listener: tuple[socket.socket, str]) -> None:
    server, host = listener
    with ExitStack() as open_:
        client = open_.enter_context(socket.create_connection((host, server.getsockname()[1])))
        connection = open_.enter_context(server.accept()[0])
        client.close()
        connection.recv(1)
        assert sockets.owner_of(connection) is None
