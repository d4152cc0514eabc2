"""What decides an encode, and what is known of its input."""

from __future__ import annotations

from dataclasses import dataclass

from common.settings.rate import Rate
from common.source import Level, Source

DEFAULT_AUDIO_BITRATE = 128_000
"""Bits per second."""
DEFAULT_SEGMENT_SECONDS = 6.0
"""Apple's advice for HLS (HLS Authoring Specification, 7.5)."""


@dataclass(frozen=True, slots=True)
class EncodeSettings:
    """Everything that decides the encode; nothing is left to ffmpeg's defaults."""

    width: int
    height: int
    fps: float
    """Frames per second; with `every_frame` their mean."""
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
    """Bits per second of a track with one or two channels; one with more gets as much for each two."""
    loudness: float | None = None
    """LUFS that the sound is brought to (EBU R128); None: it is as loud as it was."""
    levels: tuple[Level | None, ...] = ()
    """How loud the tracks of sound are, once that was measured; None: one is silent."""
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

    every_frame: bool = False
    """Whether each frame of the input is encoded at its own time; else there are `fps` a second."""
    source: Source | None = None
    """What is encoded; None: a picture that ffmpeg makes."""

    @property
    def frames(self) -> int:
        """How many frames the output must have: the input's, or the duration to the nearest frame; one at
        least.
        """
        if self.every_frame and self.source is not None and self.source.frames is not None:
            return max(1, self.source.frames)
        return max(1, round(self.duration * self.fps))

    @property
    def deinterlaced(self) -> bool:
        """Whether the lines of two moments are told apart."""
        if self.source is None or self.deinterlace == "no":
            return False
        return self.source.interlaced or self.deinterlace == "yes"

    @property
    def tonemapped(self) -> bool:
        """Whether a high dynamic range is mapped to the usual one."""
        return self.hdr == "tonemap" and self.source is not None and self.source.colour.hdr
