"""The local door is for programs of the master's user, root and the group `ffrtmp`, on this machine."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.clock import system_clock
from common.model import Role
from common.problems import Problem
from master import auth
from master.auth import Gate
from tests.core.support import FakeClock, make_farm
from tests.masters import Master, start_master

OTHER = 4_000_000_001
"""A user id that nobody has."""


class Connection:
    """What a gate looks at of one."""

    def __init__(self, peer: str, local: str) -> None:
        self.getpeername = lambda: (peer, 40_000)
        self.getsockname = lambda: (local, 8080)


@pytest.fixture
def role(tmp_path: Path) -> Callable[..., Role]:
    """The role of a bare call, by who is at the other end and which addresses it has."""
    store = make_farm(tmp_path, FakeClock()).store

    def find(uid: int | None = None, peer: str = "127.0.0.1", local: str = "127.0.0.1") -> Role:
        owner = os.geteuid() if uid is None else uid
        gate = Gate(store, "t" * 43, system_clock, local_door=True, socket_owner=lambda _: owner)
        environ: dict[str, Any] = {"HTTP_HOST": "localhost", "gunicorn.socket": Connection(peer, local)}
        return gate.identify(environ, "jobs.page").role

    return find


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "::ffff:127.3.2.1"]
)
def test_every_loopback_address_is_this_machine(role: Callable[..., Role], address: str) -> None:
    assert role(peer=address, local=address) is Role.OPERATOR


@pytest.mark.parametrize(
    "address", ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "fe80::1%eth0", "0.0.0.0", "128.0.0.1", "::2"]
)
def test_any_other_address_at_either_end_is_not(role: Callable[..., Role], address: str) -> None:
    assert role(peer=address) is Role.ANYONE
    assert role(local=address) is Role.ANYONE


def test_the_masters_user_and_root_are_let_in_and_others_are_not(role: Callable[..., Role]) -> None:
    assert role(os.geteuid()) is Role.OPERATOR
    assert role(0) is Role.OPERATOR
    assert role(OTHER) is Role.ANYONE


def test_a_user_that_cannot_be_told_is_not(tmp_path: Path) -> None:
    store = make_farm(tmp_path, FakeClock()).store
    gate = Gate(store, "t" * 43, system_clock, local_door=True, socket_owner=lambda _: None)
    environ = {"HTTP_HOST": "localhost", "gunicorn.socket": Connection("127.0.0.1", "127.0.0.1")}
    assert gate.identify(environ, "jobs.page").role is Role.ANYONE


@pytest.mark.parametrize(
    ("groups", "expected"),
    [({"members": ["alice"]}, Role.OPERATOR), ({"primary": True}, Role.OPERATOR), ({}, Role.ANYONE)],
    ids=["member", "primary group", "neither"],
)
def test_members_of_the_group_are_let_in(
    role: Callable[..., Role], monkeypatch: pytest.MonkeyPatch, groups: dict[str, Any], expected: Role
) -> None:
    """The machine's own groups are left alone: what it would say of them is said here."""
    group = grp.struct_group((auth.GROUP, "x", 777, groups.get("members", [])))
    user = pwd.struct_passwd(("alice", "x", OTHER, 777 if groups.get("primary") else 888, "", "/", "/bin/sh"))
    monkeypatch.setattr(grp, "getgrnam", lambda name: {auth.GROUP: group}[name])
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: {OTHER: user}[uid])
    assert role(OTHER) is expected


def test_a_token_is_looked_at_before_the_door(tmp_path: Path) -> None:
    store = make_farm(tmp_path, FakeClock()).store
    gate = Gate(store, "t" * 43, system_clock, local_door=True, socket_owner=lambda _: os.geteuid())
    environ = {
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": "Bearer nothing",
        "gunicorn.socket": Connection("127.0.0.1", "127.0.0.1"),
    }
    with pytest.raises(Problem, match="is not known here"):
        gate.identify(environ, "jobs.page")


def status(master: Master, address: str) -> bytes:
    """The status line for a bare request from this very process to an address of this machine."""
    context = ssl.create_default_context(cafile=str(master.ca))
    context.check_hostname = False
    with (
        socket.create_connection((address, master.port), 20) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as tunnel,
    ):
        tunnel.sendall(b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return tunnel.recv(65536).partition(b"\r\n")[0]


def test_a_real_call_over_any_loopback_address_is_let_in(master: Master) -> None:
    assert status(master, "127.0.0.1") == b"HTTP/1.1 200 OK"
    assert status(master, "127.1.2.3") == b"HTTP/1.1 200 OK"


def test_so_it_is_where_ipv4_comes_in_by_an_ipv6_socket(tmp_path: Path) -> None:
    master = start_master(tmp_path / "state", host="::")
    try:
        assert status(master, "127.0.0.1") == b"HTTP/1.1 200 OK"
        assert status(master, "::1") == b"HTTP/1.1 200 OK"
    finally:
        master.stop()
