"""The names of codecs are those that ffmpeg writes into its own manifests of the same streams."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.renditions.boxes import codec_names

ENCODERS = {
    "h264": ["-c:v", "libx264", "-preset", "ultrafast"],
    "h264, 10 bit": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"],
    "h265": ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params", "log-level=error"],
    "av1": ["-c:v", "libsvtav1", "-preset", "12"],
    "vp9": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
}


@pytest.mark.parametrize("codec", ENCODERS)
def test_a_name_is_ffmpegs_own(codec: str, tmp_path: Path) -> None:
    sound = "libopus" if codec == "vp9" else "aac"
    sources = ["-f", "lavfi", "-i", "testsrc2=size=128x72:rate=5", "-f", "lavfi", "-i", "sine", "-t", "1"]
    muxer = [
        "-dash_segment_type",
        "mp4",
        "-single_file",
        "1",
        "-single_file_name",
        "a-$RepresentationID$.mp4",
    ]
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *sources, *ENCODERS[codec], "-c:a", sound, *muxer]
    subprocess.run([*argv, "-f", "dash", "a.mpd"], cwd=tmp_path, check=True, capture_output=True)
    said = re.findall(r'codecs="([^"]+)"', (tmp_path / "a.mpd").read_text())
    found = [name for n in (0, 1) for name in codec_names((tmp_path / f"a-{n}.mp4").read_bytes())]
    assert [name.lower() for name in found] == [name.lower() for name in said]


@given(st.binary(max_size=300))
def test_what_is_no_mp4_has_no_codecs(data: bytes) -> None:
    assert codec_names(data) == []
