"""Without a server that takes it, a stream fails with a sentence that says why, and nothing is encoded."""

from __future__ import annotations

import pytest

from agent.stream import patience
from tests.streams.conftest import Streamer
from tests.streams.servers import Nginx, free_port


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.stream.push.Patience", lambda now: patience.Patience(now, 1.0, 1.0))
    monkeypatch.setattr("agent.stream.record.Patience", lambda now: patience.Patience(now, 1.0, 1.0))


def failure(streamer: Streamer, url: str) -> tuple[str, str]:
    report = streamer.report({"duration": 30}, output=url)
    assert report.error is not None
    return report.error.code, report.error.message


def test_a_server_that_is_not_there(streamer: Streamer) -> None:
    port = free_port()
    streamer.hosts = (f"rtmp://127.0.0.1:{port}",)
    code, message = failure(streamer, f"rtmp://127.0.0.1:{port}/live/secret-key")
    assert code == "stream_unreachable"
    assert "could not be had for 1 s" in message
    assert "Connection refused" in message
    assert "secret-key" not in message
    assert streamer.told == []  # no encoder was started


def test_a_server_that_refuses_to_publish(streamer: Streamer, nginx: Nginx) -> None:
    code, message = failure(streamer, nginx.url("secret-key", app="closed"))
    assert code == "stream_unreachable"
    assert "secret-key" not in message


def test_a_host_that_the_operator_has_not_allowed(streamer: Streamer, nginx: Nginx) -> None:
    streamer.hosts = ("rtmp://live.example.com",)
    code, message = failure(streamer, nginx.url("key"))
    assert (code, "--output-host" in message) == ("output_refused", True)


def test_an_allowed_host_at_a_private_address(streamer: Streamer, nginx: Nginx) -> None:
    streamer.private = False
    code, message = failure(streamer, nginx.url("key"))
    assert (code, "--allow-private-outputs" in message) == ("output_refused", True)


def test_a_stream_that_nobody_publishes_is_not_recorded(streamer: Streamer, nginx: Nginx) -> None:
    report = streamer.report({"duration": 5}, input=nginx.url("nobody"))
    assert report.error is not None
    assert report.error.code == "stream_unreachable"
    assert "no picture" in report.error.message
