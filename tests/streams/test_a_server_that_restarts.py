"""A server that ends in mid-stream is reached again, and what it missed is counted."""

from __future__ import annotations

from collections.abc import Callable

from common.model import JobStatus
from tests.agent.conftest import wait_until
from tests.streams.conftest import Background, Streamer, Viewer, number
from tests.streams.servers import Nginx


def test_the_stream_goes_on_at_a_restarted_server_and_viewers_have_pictures_again(
    streamer: Streamer, nginx: Nginx, watch: Callable[..., Viewer]
) -> None:
    job = Background(lambda: streamer.report({"duration": 8, "gop": 15}, output=nginx.url("key")))
    assert wait_until(lambda: streamer.frames > 20)
    nginx.kill()
    begun = streamer.frames
    assert wait_until(lambda: streamer.frames > begun + 15)  # the encoder goes on meanwhile
    nginx.start()
    viewer = watch("-i", nginx.url("key"))
    report = job.result()
    assert report.status is JobStatus.COMPLETED, report.error
    assert report.metrics["frames"] == 120
    assert report.metrics["reconnects"] == 1
    dropped = int(number(report, "dropped_frames"))
    assert 5 <= dropped <= 75
    assert [f"{dropped} of 120 frames" in warning for warning in report.findings.warnings] == [True]
    assert wait_until(lambda: viewer.frames >= 15, 5), viewer.log
