"""The codecs: their software encoders, and what goes with each. Data, no code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Codec:
    """What we know of one codec and its software encoder."""

    encoder: str
    presets: tuple[str, ...]
    """Allowed presets, fastest first."""
    preset: str
    """The default preset."""
    max_crf: int
    container: str
    """The usual one, of `common.settings.containers`."""
    pixel_formats: tuple[str, ...]
    whole_crf: bool = True
    """Whether its encoder knows whole numbers only; a crf is rounded to one."""
    two_pass: bool = True
    """Whether a first pass makes it meet its bitrate better."""


_X26X = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_8_AND_10_BIT = ("yuv420p", "yuv420p10le")
_MORE_COLOUR = (*_8_AND_10_BIT, "yuv422p", "yuv444p")

CODECS: dict[str, Codec] = {
    "h264": Codec("libx264", _X26X, "veryfast", 51, "mp4", _MORE_COLOUR, whole_crf=False),
    "h265": Codec("libx265", _X26X, "superfast", 51, "mp4", _MORE_COLOUR, whole_crf=False),
    "vp9": Codec("libvpx-vp9", tuple(str(n) for n in range(8, -1, -1)), "8", 63, "webm", _8_AND_10_BIT),
    "av1": Codec(
        "libsvtav1",
        tuple(str(n) for n in range(13, -1, -1)),
        "10",
        63,
        "mp4",
        _8_AND_10_BIT,
        two_pass=False,
    ),
}

MIN_AV1_SIZE = 64
"""Pixels: SVT-AV1 refuses smaller pictures."""
MAX_AV1_BITRATE = 100_000_000
"""Bits per second: SVT-AV1 refuses more."""
MAX_AV1_THREADS = 6
"""SVT-AV1 has levels of parallelism, 1 to 6, in place of a number of threads."""
