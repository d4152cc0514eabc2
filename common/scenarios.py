"""The scenario catalogue: what each name encodes, and how by default. Data, no code.

Bitrates are the usual ones of live streaming for the size and rate; H.265, VP9
and AV1 get about 60 % of H.264's. The picture is ffmpeg's `testsrc2`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named encode: a name fixes size, rate and codec, and sets the defaults."""

    name: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    fps: float
    """Frames per second."""
    codec: str
    """`h264`, `h265`, `vp9` or `av1`."""
    bitrate: str
    """Bits per second, with `k` for 1,000."""
    duration: float = 10.0
    """Seconds of video."""


CATALOGUE: tuple[Scenario, ...] = (
    Scenario("4K60-h264", 3840, 2160, 60, "h264", "20000k"),
    Scenario("4K60-h265", 3840, 2160, 60, "h265", "12000k"),
    Scenario("4K30-h264", 3840, 2160, 30, "h264", "13000k"),
    Scenario("4K30-h265", 3840, 2160, 30, "h265", "8000k"),
    Scenario("1080p60-h264", 1920, 1080, 60, "h264", "6000k"),
    Scenario("1080p60-h265", 1920, 1080, 60, "h265", "3600k"),
    Scenario("1080p30-h264", 1920, 1080, 30, "h264", "4500k"),
    Scenario("1080p30-h265", 1920, 1080, 30, "h265", "2700k"),
    Scenario("720p60-h264", 1280, 720, 60, "h264", "3500k"),
    Scenario("720p60-h265", 1280, 720, 60, "h265", "2100k"),
    Scenario("720p30-h264", 1280, 720, 30, "h264", "2500k"),
    Scenario("720p30-h265", 1280, 720, 30, "h265", "1500k"),
    Scenario("480p60-h264", 854, 480, 60, "h264", "1800k"),
    Scenario("480p30-h264", 854, 480, 30, "h264", "1200k"),
    Scenario("480p30-h265", 854, 480, 30, "h265", "720k"),
    Scenario("1080p60-vp9", 1920, 1080, 60, "vp9", "3600k"),
    Scenario("720p30-vp9", 1280, 720, 30, "vp9", "1500k"),
    Scenario("480p30-av1", 854, 480, 30, "av1", "720k"),
    Scenario("1080p-h264", 1920, 1080, 30, "h264", "4500k"),
    Scenario("720p-h264", 1280, 720, 30, "h264", "2500k"),
    Scenario("480p-h264", 854, 480, 30, "h264", "1200k"),
    Scenario("test-1080p", 1920, 1080, 30, "h264", "4500k", duration=2.0),
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in CATALOGUE}
