"""A stream ends when its job is canceled, and holds no connection while its lease is not known to hold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from agent.stream import push
from common.model import JobStatus
from tests.agent.conftest import wait_until
from tests.streams.conftest import Background, Streamer, Viewer, number
from tests.streams.servers import Nginx


def encoders(directory: Path) -> list[int]:
    """The processes that work in a job's directory."""
    found = []
    for process in psutil.process_iter(["pid"]):
        try:
            if Path(f"/proc/{process.pid}/cwd").readlink().is_relative_to(directory):
                found.append(process.pid)
        except OSError:
            continue
    return found


def streams(nginx: Nginx) -> bool:
    """Whether this process holds a connection to the server."""
    connections = psutil.Process().net_connections("tcp")
    return any(c.raddr and c.raddr.port == nginx.port and c.status == "ESTABLISHED" for c in connections)


def test_a_canceled_stream_ends_at_once_and_leaves_no_ffmpeg(streamer: Streamer, nginx: Nginx) -> None:
    job = Background(lambda: streamer.run({"duration": 600}, output=nginx.url("key")))
    assert wait_until(lambda: streamer.frames > 10)
    assert encoders(streamer.directory)
    streamer.abort.set()
    assert job.result(10) is None
    assert encoders(streamer.directory) == []
    assert not streams(nginx)


def test_a_stream_without_a_lease_lets_go_of_its_key_and_goes_on_when_it_has_it_again(
    streamer: Streamer, nginx: Nginx, watch: Callable[..., Viewer]
) -> None:
    lease = threading.Event()
    lease.set()
    streamer.may_work = lease.is_set
    job = Background(lambda: streamer.report({"duration": 5, "gop": 15}, output=nginx.url("key")))
    assert wait_until(lambda: streamer.frames > 10)
    lease.clear()
    assert wait_until(lambda: not streams(nginx), 5)
    # Another may publish under that name now.
    made = ["-re", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=15:duration=1", "-c:v", "libx264"]
    other = watch(*made, "-f", "flv", nginx.url("key"))
    assert "already publishing" not in other.end().log
    lease.set()
    report = job.result()
    assert report.status is JobStatus.COMPLETED, report.error
    assert (report.metrics["frames"], report.metrics["reconnects"]) == (75, 1)


def test_an_encoder_does_not_wait_for_a_server_that_hangs(
    streamer: Streamer, nginx: Nginx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "LAST_SECONDS", 1.0)
    job = Background(
        lambda: streamer.report(
            {"duration": 5, "bitrate": "20M", "width": 640, "height": 360, "fps": 30, "content": "noise"},
            output=nginx.url("key"),
        )
    )
    assert wait_until(lambda: streamer.frames > 10)
    nginx.hang()
    report = job.result()
    assert report.status is JobStatus.COMPLETED, report.error
    assert report.metrics["frames"] == 150
    assert number(report, "dropped_frames") > 0
