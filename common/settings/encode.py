"""What decides an encode, and what is known of its input."""

from __future__ import annotations

from dataclasses import dataclass

from common.settings.rate import Rate

DEFAULT_AUDIO_BITRATE = 128_000
"""Bits per second."""
DEFAULT_SEGMENT_SECONDS = 6.0
"""Apple's advice for HLS (HLS Authoring Specification, 7.5)."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of an input before it is encoded."""

    duration: float
    """Seconds, from the file's start to the end of its last picture."""
    audio: bool
    """Whether it has sound."""


@dataclass(frozen=True, slots=True)
class EncodeSettings:
    """Everything that decides the encode; nothing is left to ffmpeg's defaults."""

    width: int
    height: int
    fps: float
    duration: float
    """Seconds."""
    codec: str
    encoder: str
    preset: str
    rate: Rate
    gop: int
    """Frames between key frames at most."""
    pixel_format: str
    threads: int | None
    """None: the encoder decides."""
    audio: str
    """`none`, `copy`, `aac` or `opus`."""
    container: str
    """Of `common.settings.containers`."""
    audio_bitrate: int = DEFAULT_AUDIO_BITRATE
    """Bits per second of each track."""
    loudness: float | None = None
    """LUFS that the sound is brought to (EBU R128); None: it is as loud as it was."""
    subtitles: bool = True
    """Whether subtitles are kept."""
    deinterlace: str = "auto"
    """`auto`: where the input says that it is interlaced; `yes`, `no`."""
    hdr: str = "keep"
    """What becomes of a picture with a high dynamic range: `keep`, `tonemap`."""
    content: str = "test"
    """What a picture that ffmpeg makes shows: `test`, `noise`, `motion`, `complex`."""
    segment_seconds: float = DEFAULT_SEGMENT_SECONDS
    """How long the pieces of a stream are."""

    @property
    def frames(self) -> int:
        """How many frames the output must have: the duration to the nearest frame, one at least."""
        return max(1, round(self.duration * self.fps))
