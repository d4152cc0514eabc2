"""A job streams to an SRT server and records from one: here another ffmpeg, which listens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from common.model import JobStatus
from tests.agent.conftest import wait_until
from tests.parts import missing
from tests.streams.conftest import Background, Streamer, Viewer, number
from tests.streams.servers import free_port


@pytest.fixture
def port(streamer: Streamer) -> int:
    if streamer.toolbox.srt is None:
        missing("no ffmpeg here speaks SRT")
    number = free_port()
    streamer.hosts = (f"srt://127.0.0.1:{number}",)
    return number


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_stream_is_sent_encrypted_and_seen(
    codec: str, streamer: Streamer, port: int, watch: Callable[..., Viewer]
) -> None:
    secret = "passphrase=a-secret-of-16-bytes"
    viewer = watch("-f", "mpegts", "-i", f"srt://127.0.0.1:{port}?mode=listener&{secret}")
    url = f"srt://127.0.0.1:{port}?streamid=publish/key&{secret}"
    report = streamer.report({"duration": 4, "codec": codec, "gop": 15}, output=url)
    assert report.status is JobStatus.COMPLETED, report.error
    seen = viewer.end(5)
    assert f"Video: {'hevc' if codec == 'h265' else codec}" in seen.log
    assert 45 <= seen.frames <= 60
    numbers = report.metrics
    assert (numbers["frames"], numbers["codec"], numbers["reconnects"]) == (60, codec, 0)
    assert number(report, "dropped_frames") <= 2
    assert "secret" not in str(report)


def test_a_stream_is_recorded(streamer: Streamer, port: int, watch: Callable[..., Viewer]) -> None:
    made = ["-re", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=15", "-c:v", "libx264", "-g", "15"]
    listener = f"srt://127.0.0.1:{port}?mode=listener"
    publisher = watch(*made, "-preset", "ultrafast", "-f", "mpegts", listener)
    job = Background(lambda: streamer.report({"duration": 2}, input=f"srt://127.0.0.1:{port}"))
    report = job.result()
    assert report.status is JobStatus.COMPLETED, (report.error, publisher.log)
    assert 28 <= number(report, "frames") <= 30
    assert report.findings.warnings == ()
    assert wait_until(lambda: (streamer.directory / "job-1" / "480p-h264.mp4").exists())


def test_a_server_that_is_not_there(streamer: Streamer, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.stream import patience

    monkeypatch.setattr("agent.stream.push.Patience", lambda now: patience.Patience(now, 2.0, 2.0))
    report = streamer.report({"duration": 60}, output=f"srt://127.0.0.1:{port}?streamid=the-key")
    assert report.error is not None
    assert report.error.code == "stream_unreachable"
    assert "the-key" not in str(report)
