"""A host is this machine when its addresses are, whatever it is called."""

from __future__ import annotations

import socket

import pytest

from agent.locality import is_this_machine
from common.reach import interface_addresses

OWN = ("127.0.0.1", "192.0.2.7", "2001:db8::7", "fe80::1")


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "::ffff:127.0.0.1", "0.0.0.0", "192.0.2.7",
     "::ffff:192.0.2.7", "2001:db8::7", "2001:db8:0::7"],
)  # fmt: skip
def test_loopback_and_own_addresses_are_this_machine(host: str) -> None:
    assert is_this_machine(host, OWN)


@pytest.mark.parametrize("host", ["192.0.2.70", "192.0.2.8", "2001:db8::70", "::ffff:192.0.2.8", "1.127.0.0"])
def test_other_addresses_are_not_however_similar(host: str) -> None:
    assert not is_this_machine(host, OWN)


def test_a_name_counts_by_what_it_resolves_to(monkeypatch: pytest.MonkeyPatch) -> None:
    # No name server can be asked in a test; this is the one answer that is made up.
    def resolve(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        address = {"localhost.example": "198.51.100.1", "farm.example": "192.0.2.7"}[host]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert is_this_machine("farm.example", OWN)
    assert not is_this_machine("localhost.example", OWN)


@pytest.mark.parametrize("host", ["nowhere.invalid", "", "x" * 70, "a..b"])
def test_a_name_that_cannot_be_resolved_is_an_os_error(host: str) -> None:
    with pytest.raises(OSError, match=r".+"):
        is_this_machine(host, OWN)


def test_this_machines_interfaces_are_this_machine() -> None:
    addresses = interface_addresses()
    assert "127.0.0.1" in addresses
    assert all(is_this_machine(address, addresses) for address in addresses)
