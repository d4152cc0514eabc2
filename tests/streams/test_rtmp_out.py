"""A job streams in real time to a real RTMP server, where another ffmpeg watches it."""

from __future__ import annotations

from collections.abc import Callable

from common.model import JobStatus
from common.result import METRICS, check
from tests.agent.conftest import wait_until
from tests.streams.conftest import Streamer, Viewer, number
from tests.streams.servers import Nginx


def test_a_made_picture_is_seen_by_a_viewer_and_the_report_has_its_numbers(
    streamer: Streamer, nginx: Nginx, watch: Callable[..., Viewer]
) -> None:
    viewer = watch("-i", nginx.url("key"))
    wait_until(lambda: "play: name='key'" in nginx.log, 5)  # or it could come after the first key frame
    report = streamer.report({"duration": 5, "audio": "aac"}, output=nginx.url("key"))
    assert report.status is JobStatus.COMPLETED, report.error
    wait_until(lambda: viewer.frames >= 70, 5)
    seen = viewer.stop()
    assert "Video: h264" in seen.log
    assert "160x90" in seen.log
    assert "Audio: aac" in seen.log
    assert 70 <= seen.frames <= 75  # all, but for what a viewer misses at the edges
    numbers = report.metrics
    assert set(numbers) <= set(METRICS)
    assert [problem for name, value in numbers.items() if (problem := check(name, value))] == []
    assert (numbers["frames"], numbers["dropped_frames"], numbers["reconnects"]) == (75, 0, 0)
    assert (numbers["codec"], numbers["width"], numbers["height"]) == ("h264", 160, 90)
    assert 4.9 <= number(report, "duration") <= 5.1
    assert number(report, "speed") <= 1.15  # not faster than it is to be seen
    assert report.findings.warnings == ()
    assert not streamer.directory.joinpath("job-1").exists()  # a stream leaves no file
