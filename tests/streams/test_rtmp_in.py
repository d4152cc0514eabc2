"""A live stream is recorded for a while, and encoded or kept as it came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from common.model import JobStatus, Value
from tests.agent.conftest import measured, wait_until
from tests.streams.conftest import Streamer, Viewer, number
from tests.streams.servers import Nginx

Watch = Callable[..., Viewer]


@contextmanager
def publishing(watch: Watch, nginx: Nginx, seconds: float = 60) -> Iterator[Viewer]:
    """Another ffmpeg that publishes 160x90 at 15 frames per second, with sound."""
    made = ["-re", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=15", "-re", "-f", "lavfi", "-i", "sine"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-c:a", "aac", "-f", "flv"]
    viewer = watch(*made, "-t", str(seconds), *coded, nginx.url("in"))
    assert wait_until(lambda: viewer.frames > 5), viewer.log
    yield viewer
    viewer.stop()


def test_it_is_encoded(streamer: Streamer, nginx: Nginx, watch: Watch) -> None:
    with publishing(watch, nginx):
        report = streamer.report({"duration": 2, "codec": "h264"}, input=nginx.url("in"))
    assert report.status is JobStatus.COMPLETED, report.error
    assert 29 <= number(report, "frames") <= 30
    assert report.metrics["encoder"] == "libx264"
    assert report.findings.warnings == ()
    file = measured(streamer.directory / "job-1" / "480p-h264.mp4")
    assert (file.codec, file.audio_codec) == ("h264", "aac")


def test_it_is_kept_as_it_came(streamer: Streamer, nginx: Nginx, watch: Watch) -> None:
    with publishing(watch, nginx):
        asked: dict[str, Value] = {"duration": 2, "record": True, "container": "mkv"}
        report = streamer.report(asked, input=nginx.url("in"))
    assert report.status is JobStatus.COMPLETED, report.error
    assert (report.metrics["encoder"], report.metrics["bitrate_asked"]) == ("copy", None)
    assert 29 <= number(report, "frames") <= 30
    file = measured(streamer.directory / "job-1" / "480p-h264.mkv")
    assert (file.width, file.height, file.codec, file.audio_codec) == (160, 90, "h264", "aac")


def test_one_that_ends_early_is_used_with_a_warning(streamer: Streamer, nginx: Nginx, watch: Watch) -> None:
    with publishing(watch, nginx, 3):
        report = streamer.report({"duration": 30}, input=nginx.url("in"))
    assert report.status is JobStatus.COMPLETED, report.error
    assert 5 <= number(report, "frames") <= 45
    (warning,) = report.findings.warnings
    assert warning.startswith(f"the stream ended early: {report.metrics['frames']} frames")


def test_one_that_is_larger_than_allowed_is_refused(streamer: Streamer, nginx: Nginx, watch: Watch) -> None:
    streamer.max_size = 20_000
    with publishing(watch, nginx):
        report = streamer.report({"duration": 30}, input=nginx.url("in"))
    assert report.error is not None
    assert (report.error.code, "--max-input-size" in report.error.message) == ("input_invalid", True)


def test_a_host_that_the_operator_has_not_allowed(streamer: Streamer, nginx: Nginx) -> None:
    streamer.hosts = ("rtmp://live.example.com",)
    report = streamer.report({"duration": 2}, input=nginx.url("in"))
    assert report.error is not None
    assert (report.error.code, "--input-host" in report.error.message) == ("input_refused", True)


def test_recording_ends_with_its_job(streamer: Streamer, nginx: Nginx) -> None:
    streamer.abort.set()
    assert streamer.run({"duration": 2}, input=nginx.url("nobody")) is None


@pytest.fixture(autouse=True)
def _silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.stream.record.SILENCE", 2.0)
