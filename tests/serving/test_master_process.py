"""The master's process starts, stops, reloads and fails in order, and says why in one line."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from master.config import Config
from master.errors import StartError
from master.server import bind
from tests.masters import free_port, wait_until
from tests.serving.conftest import Server

Launch = Callable[..., Server]


def closed_by(server: Server, pid: int) -> bool:
    return (server.state_dir / f"closed-{pid}").exists()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_with_fifty_parked_polls_is_quick_clean_and_silent(
    launch: Launch, sig: signal.Signals
) -> None:
    server = launch(threads=64).ready()
    pid = server.count()["pid"]
    parked = server.park(50)
    begun = time.monotonic()
    status, errors = server.stop(sig)
    assert time.monotonic() - begun < 2.5
    assert (status, errors) == (0, "")
    assert closed_by(server, pid)
    for client in parked:
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
        client.close()


def test_ctrl_c_which_reaches_every_process_is_quick_too(launch: Launch) -> None:
    server = launch(threads=64).ready()
    pid = server.count()["pid"]
    parked = server.park(20)
    begun = time.monotonic()
    os.kill(pid, signal.SIGINT)
    status, errors = server.stop(signal.SIGINT)
    assert time.monotonic() - begun < 2.5
    assert (status, errors) == (0, "")
    for client in parked:
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
        client.close()


def test_a_killed_worker_is_replaced(launch: Launch) -> None:
    server = launch().ready()
    first = server.count()["pid"]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: server.healthy() and server.count()["pid"] != first, "a new worker serves")
    assert "SIGKILL" in server.stop()[1]


def test_a_reload_replaces_the_worker_and_lets_the_old_one_end(launch: Launch) -> None:
    server = launch(threads=16).ready()
    first = server.count()["pid"]
    parked = server.park(3)
    server.process.send_signal(signal.SIGHUP)
    for client in parked:
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
        client.close()
    wait_until(lambda: closed_by(server, first), "the old worker ends")
    wait_until(server.healthy, "the new worker serves")
    assert server.count()["pid"] != first
    assert server.stop() == (0, "")


def test_a_stop_during_a_long_start_is_quick(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "wait").touch()
    server = launch()
    wait_until((tmp_path / "waiting").exists, "the start is under way")
    begun = time.monotonic()
    assert server.stop() == (0, "")
    assert time.monotonic() - begun < 2


def test_an_orphaned_worker_ends_in_order(launch: Launch) -> None:
    server = launch().ready()
    pid = server.count()["pid"]
    server.process.kill()
    wait_until(lambda: closed_by(server, pid), "the worker notices")
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the worker ends")


@pytest.mark.parametrize("sig", [signal.SIGTTIN, signal.SIGUSR2])
def test_there_is_never_a_second_worker(launch: Launch, sig: signal.Signals) -> None:
    server = launch().ready()
    pid = server.count()["pid"]
    server.process.send_signal(sig)
    # The arbiter takes signals in turn: when the reload is done, the other was dealt with.
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: closed_by(server, pid), "the reload is done")
    wait_until(server.healthy, "the server answers")
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    only = [str(server.count()["pid"])]
    wait_until(lambda: children.read_text().split() == only, "there is one worker")


def test_a_master_that_cannot_start_says_why_in_one_line(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "refuse").write_text("the journal is damaged at byte 42; restore it")
    server = launch()
    assert server.process.wait(timeout=15) == 1
    assert server.stop()[1] == "master: the journal is damaged at byte 42; restore it\n"


def test_a_worker_that_can_no_longer_be_trusted_ends_the_master(launch: Launch) -> None:
    server = launch().ready()
    with server.connect_tls() as client:
        client.sendall(b"GET /fatal HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert server.process.wait(timeout=15) == 1
    assert server.stop() == (1, "")


def test_a_busy_port_is_one_clear_line(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = launch(port=port)
        assert server.process.wait(timeout=15) == 1
        assert server.stop()[1] == (
            f"master: port {port} is in use by another program; stop it or choose another with --port\n"
        )


@pytest.mark.parametrize("host", ["192.0.2.77", "no such name", "nowhere.invalid"])
def test_an_address_that_is_not_ours_is_one_clear_line(tmp_path: Path, host: str) -> None:
    with pytest.raises(StartError, match="is no address of this machine; choose another --host"):
        bind(Config(state_dir=tmp_path, host=host, port=free_port()))


def test_the_port_is_free_again_right_after_a_stop(launch: Launch) -> None:
    first = launch().ready()
    with first.connect_tls() as open_until_the_end:
        open_until_the_end.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        first.stop()
    assert launch(port=first.port).ready().healthy()


def test_every_address_takes_ipv4_and_ipv6(tmp_path: Path) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with bind(Config(state_dir=tmp_path, host="::", port=0)) as listener:
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, listener.getsockname()[1]), timeout=5).close()
