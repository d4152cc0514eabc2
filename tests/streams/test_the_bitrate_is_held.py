"""A stream holds its bitrate where its picture suddenly becomes hard."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.stream.command import VBV_SECONDS
from common.model import JobStatus, Value
from tests.streams.conftest import Streamer, number
from tests.streams.servers import Nginx

BITRATE = 400_000


@pytest.fixture
def hard(toolbox: Toolbox, tmp_path: Path) -> Path:
    """Two seconds of nothing, then three of noise."""
    path = tmp_path / "media" / "hard.mkv"
    path.parent.mkdir()
    graph = (
        "color=gray:size=160x90:rate=15:duration=2[a];color=gray:size=160x90:rate=15:duration=3,"
        "noise=alls=90:allf=t+u[b];[a][b]concat"
    )
    ffmpeg = str(toolbox.chosen["libx264"].path)
    argv = [ffmpeg, "-loglevel", "error", "-f", "lavfi", "-i", graph, "-c:v", "ffv1", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return path


def test_no_second_has_more_bits_than_the_buffer_of_a_viewer_allows(
    streamer: Streamer, nginx: Nginx, hard: Path
) -> None:
    streamer.roots = {"media": hard.parent}
    asked: dict[str, Value] = {"bitrate": str(BITRATE), "gop": 15, "preset": "veryfast"}
    report = streamer.report(asked, input="media:media/hard.mkv", output=nginx.url("key"))
    assert report.status is JobStatus.COMPLETED, report.error
    numbers = report.metrics
    assert numbers["frames"] == 75
    most, least = number(report, "bitrate_max_second"), number(report, "bitrate_min_second")
    # The buffer begins nine tenths full (x264's vbv-init): that, and what comes within the second.
    assert most <= BITRATE * (1 + 0.9 * VBV_SECONDS) * 1.02
    assert least < BITRATE / 4  # the quiet part: the spread is really measured
    assert number(report, "bitrate_deviation") > BITRATE / 10
    assert number(report, "bitrate") <= BITRATE * 1.2
