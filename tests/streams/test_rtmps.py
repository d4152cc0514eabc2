"""RTMP in TLS: the server's certificate must be trusted and be for its name, or nothing is sent."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.inputs.fetch import Surroundings
from agent.stream import patience
from common.model import JobStatus
from tests.agent.attacks.servers import certificate
from tests.streams.conftest import Streamer
from tests.streams.servers import Nginx


@contextmanager
def in_tls(context: ssl.SSLContext, port: int) -> Iterator[int]:
    """A port at which TLS ends, and all goes on to `port`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, context, port), daemon=True).start()
        yield listening.getsockname()[1]
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            came, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(came, context, port), daemon=True).start()


def _carry(came: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with (
        contextlib.suppress(OSError),
        came,
        context.wrap_socket(came, server_side=True) as secured,
        socket.create_connection(("127.0.0.1", port)) as server,
    ):
        secured.settimeout(0.02)
        server.settimeout(0.02)
        while True:
            for source, sink in ((secured, server), (server, secured)):
                with contextlib.suppress(TimeoutError):
                    data = source.recv(65536)
                    if not data:
                        return
                    sink.sendall(data)


def stream(streamer: Streamer, trusted: Path | None, port: int, host: str) -> tuple[JobStatus, str]:
    world = Surroundings(
        resolve=lambda host, port: ["127.0.0.1"],
        context=lambda: ssl.create_default_context(cafile=None if trusted is None else str(trusted)),
    )
    streamer.hosts, streamer.world = (f"rtmps://{host}:{port}",), world
    report = streamer.report({"duration": 1}, output=f"rtmps://{host}:{port}/live/s3cret")
    assert "s3cret" not in str(report)
    return report.status, "" if report.error is None else report.error.message


def test_only_a_server_that_proves_its_name_is_sent_anything(
    streamer: Streamer, nginx: Nginx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.stream.push.Patience", lambda now: patience.Patience(now, 1.0, 1.0))
    context, trusted = certificate(tmp_path, ["live.example.com"])
    with in_tls(context, nginx.port) as port:
        status, message = stream(streamer, None, port, "live.example.com")
        assert (status, "certificate is not trusted" in message) == (JobStatus.FAILED, True), message
        status, message = stream(streamer, trusted, port, "other.example.com")
        assert (status, "certificate is not trusted" in message) == (JobStatus.FAILED, True), message
        assert "s3cret" not in nginx.log
        assert stream(streamer, trusted, port, "live.example.com") == (JobStatus.COMPLETED, "")
        assert "publish: name='s3cret'" in nginx.log
