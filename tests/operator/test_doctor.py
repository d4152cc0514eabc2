"""`ffrtmp doctor` says what is wrong on the way to the master and what to do, and changes nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.checkup import State
from common.tokens import parse, render
from common.version import PROTOCOL, VERSION
from master.operator.doctor import findings
from tests.masters import Client, Master, start_master
from tests.operator.conftest import Ffrtmp

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0.5, "good"), (-1.9, "good"), (5.0, "warning"), (-5.0, "warning"), (60.0, "bad"), (None, "warning")],
)
def test_clocks_that_differ_much_are_wrong(seconds: float | None, state: str) -> None:
    assert findings.clocks(seconds).state == state


def test_which_clock_is_ahead_is_said() -> None:
    assert findings.clocks(90.0).said == "this clock is 1m30s ahead of the master's"
    assert findings.clocks(-90.0).said == "this clock is 1m30s behind the master's"


@pytest.mark.parametrize(("days", "state"), [(30, "good"), (13, "warning"), (0, "bad"), (-1, "bad")])
def test_a_certificate_near_its_end_is_told(days: int, state: str) -> None:
    assert findings.expiry(_NOW + timedelta(days=days), _NOW).state == state


@pytest.mark.parametrize(
    ("version", "protocol", "state"),
    [
        (VERSION, PROTOCOL, "good"),
        ("9.9.9", PROTOCOL, "warning"),
        (VERSION, PROTOCOL + 1, "warning"),
        (VERSION, PROTOCOL + 2, "bad"),
        (VERSION, PROTOCOL - 2, "bad"),
    ],
)
def test_versions_that_are_no_neighbours_are_wrong(version: str, protocol: int, state: str) -> None:
    assert findings.versions(version, protocol).state == state


def test_an_old_python_and_a_full_disk_are_told() -> None:
    assert findings.python((3, 10, 9)).state is State.BAD
    assert findings.python((3, 11, 0)).state is State.GOOD
    assert findings.disk("/x", 1_000).state is State.WARNING
    assert findings.disk("/x", 10**10).state is State.GOOD


def _found(ffrtmp: Ffrtmp, *arguments: str, code: int, **environment: str) -> dict[str, dict[str, Any]]:

    done = ffrtmp(*arguments, "doctor", "-o", "json", **environment)
    assert done.returncode == code, done.stdout + done.stderr
    return {each["name"]: each for each in json.loads(done.stdout)}


def _states(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: each["state"] for name, each in found.items()}


def test_a_sound_way_is_good_all_along(ffrtmp: Ffrtmp) -> None:
    ffrtmp("scenarios")  # trusts the CA
    found = _found(ffrtmp, code=0)
    assert set(_states(found).values()) == {"good"}
    assert "operator" in found["token"]["said"]
    shown = ffrtmp("doctor")
    assert shown.stdout.count("✓") == len(found)


def test_a_master_that_nobody_vouches_for_is_a_warning_and_is_not_trusted_by_looking(
    ffrtmp: Ffrtmp, tmp_path: Path
) -> None:
    found = _found(ffrtmp, code=0)
    assert found["trust"]["state"] == "warning"
    assert "sha256:" in found["trust"]["said"]
    assert not list(tmp_path.rglob("ca.pem"))


@pytest.mark.parametrize(
    ("url", "step"), [("https://nowhere.invalid:1", "name"), ("https://localhost:1", "connection")]
)
def test_the_step_that_fails_is_wrong_and_what_follows_is_not_known(
    ffrtmp: Ffrtmp, url: str, step: str
) -> None:
    found = _found(ffrtmp, code=1, FFRTMP_MASTER=url)
    assert (found[step]["state"], bool(found[step]["todo"])) == ("bad", True)
    assert found["version"]["state"] == "skipped"


@pytest.fixture
def plain() -> Iterator[int]:
    """The port of a server that does not speak TLS."""
    with socket.create_server(("localhost", 0)) as server:

        def serve() -> None:
            for _ in range(2):
                peer, _address = server.accept()
                with peer:
                    if peer.recv(1):
                        peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def test_a_port_without_tls_is_told(ffrtmp: Ffrtmp, plain: int) -> None:
    found = _found(ffrtmp, code=1, FFRTMP_MASTER=f"http://localhost:{plain}")
    assert found["certificate"]["state"] == "bad"
    assert "HTTPS" in found["certificate"]["todo"]


def test_a_ca_that_is_anothers_is_wrong(ffrtmp: Ffrtmp, tmp_path: Path) -> None:
    ffrtmp("scenarios")
    (pin,) = tmp_path.rglob("ca.pem")
    other = start_master(tmp_path / "other")
    try:
        pin.write_bytes((other.state_dir / "tls" / "ca.pem").read_bytes())
    finally:
        other.stop()
    found = _found(ffrtmp, code=1)
    assert (found["trust"]["state"], found["token"]["state"]) == ("bad", "skipped")


@pytest.mark.parametrize(("role", "said"), [("viewer", "viewer"), ("submitter", "submitter")])
def test_what_a_token_may_do_is_told(
    master: Master, client: Client, ffrtmp: Ffrtmp, role: str, said: str
) -> None:
    token = client.post("/tokens", json={"role": role}).json()["token"]
    found = _found(ffrtmp, code=0, FFRTMP_TOKEN=token)
    assert found["trust"]["said"].endswith("by the token")
    assert f"may act as {said}" in found["token"]["said"]
    assert parse(token).secret not in str(found)
    other = render("sha256:" + "ab" * 32, parse(token).secret)
    assert _found(ffrtmp, code=1, FFRTMP_TOKEN=other)["trust"]["state"] == "bad"
    assert _found(ffrtmp, code=1, FFRTMP_TOKEN=token[:-4] + "AAAA")["token"]["state"] == "bad"
