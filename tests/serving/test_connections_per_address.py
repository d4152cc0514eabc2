"""`--max-connections-per-address` bounds what one address has open; the master's own machine is exempt."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from master.worker.admission import Admission
from tests.masters import wait_until
from tests.parts import missing
from tests.serving.conftest import Server


def own_address() -> str | None:
    """An address of this machine that is not loopback; None: it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def test_an_address_gets_as_many_as_it_may_have_and_again_when_one_ends() -> None:
    admission = Admission(2)
    assert [admission.enter("192.0.2.7") for _ in range(3)] == [True, True, False]
    assert admission.enter("192.0.2.8")
    admission.leave("192.0.2.7")
    assert [admission.enter("192.0.2.7") for _ in range(2)] == [True, False]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_is_exempt(address: str) -> None:
    admission = Admission(1)
    assert all(admission.enter(address) for _ in range(10))


def test_without_the_option_nobody_is_bounded() -> None:
    admission = Admission(0)
    assert all(admission.enter("2001:db8::/64") for _ in range(1000))


def test_one_too_many_is_closed_at_once_and_told(launch: Callable[..., Server]) -> None:
    address = own_address()
    if address is None:
        missing("an address that is not loopback")
    server = launch(host="0.0.0.0", per_address=3).ready()
    with ExitStack() as open_:
        kept = [open_.enter_context(connect(address, server.port)) for _ in range(3)]
        wait_until(lambda: server.count()["connections"] == 4, "all are accepted")
        for _ in range(5):
            with connect(address, server.port) as refused:
                assert refused.recv(1) == b""
        assert server.healthy()
        kept[0].settimeout(0.1)
        with pytest.raises(TimeoutError):
            kept[0].recv(1)
    wait_until(lambda: server.count()["connections"] == 1, "they are gone")
    with connect(address, server.port) as again:
        again.settimeout(0.1)
        with pytest.raises(TimeoutError):
            again.recv(1)
    _, errors = server.stop()
    told = [line for line in errors.splitlines() if "--max-connections-per-address" in line]
    assert told == [
        f"WARNING {address} has as many connections as --max-connections-per-address allows; refused: 1"
    ]


def connect(address: str, port: int) -> socket.socket:
    return socket.create_connection((address, port), timeout=5)
