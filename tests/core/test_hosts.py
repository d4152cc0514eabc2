"""A master is called by its own names or by an address, and by nothing else."""

from __future__ import annotations

import pytest

from master.hosts import Hosts

HOSTS = Hosts({"Farm.example.com", "*.nodes.example.com"})


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8080",
        "localhost.",
        "farm.example.com",
        "farm.example.com:443",
        "FARM.example.com.",
        "one.nodes.example.com",
        "192.0.2.7",
        "192.0.2.7:8080",
        "[::1]",
        "[2001:db8::1]:8080",
    ],
)
def test_its_names_and_every_address_are_known(host: str) -> None:
    assert HOSTS.knows(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":8080",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "farm.example.com.evil.example",
        "nodes.example.com",
        "two.labels.nodes.example.com",
        "[::1",
        "::1]",
        "0x7f.1",
        "2130706433",
        "farm.example.com:port",
        "user@localhost",
        "localhost/",
        "localhost, evil.example",
    ],
)
def test_everything_else_is_strange(host: str) -> None:
    assert not HOSTS.knows(host)


def test_a_renewed_certificate_brings_new_names_and_takes_old_ones() -> None:
    hosts = Hosts({"old.example"})
    hosts.learn({"new.example"})
    assert hosts.knows("new.example")
    assert not hosts.knows("old.example")
    assert hosts.knows("localhost")
