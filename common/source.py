"""What is known of an input before it is encoded. Data, but for what follows from it at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

MOST_TRACKS = 32
"""Of each kind: a file can say that it has thousands."""
_MOST_ASPECT = 8
"""A pixel that is more than so many times as wide as high, or as high as wide, is a mistake of the file's."""


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """A track of sound. Unknown is None."""

    codec: str
    """libavcodec's name."""
    channels: int
    sample_rate: int | None = None
    """Hz."""
    language: str | None = None
    """As the file has it: three letters of ISO 639-2, mostly."""
    number: int = 0
    """Which of the file's tracks of sound it is, from 0."""


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a track of sound is (EBU R128)."""

    loudness: float
    """LUFS, over the whole track."""
    peak: float
    """dBTP."""
    range: float
    """LU."""
    threshold: float
    """LUFS below which nothing was counted."""


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """A track of subtitles."""

    codec: str
    """libavcodec's name."""
    text: bool
    """Whether it is text; else it is pictures."""
    language: str | None = None
    number: int = 0
    """Which of the file's tracks of subtitles it is, from 0."""


@dataclass(frozen=True, slots=True)
class Colour:
    """What a picture's numbers mean, in ffmpeg's words (ITU-T H.273). Unknown is None."""

    primaries: str | None = None
    transfer: str | None = None
    matrix: str | None = None
    range: str | None = None
    """`tv` (limited) or `pc` (full)."""

    @property
    def hdr(self) -> bool:
        """Whether its dynamic range is high: PQ (SMPTE ST 2084) or HLG (ARIB STD-B67)."""
        return self.transfer in ("smpte2084", "arib-std-b67")


@dataclass(frozen=True, slots=True)
class MasteringDisplay:
    """The display that an HDR picture was made on (SMPTE ST 2086)."""

    red: tuple[float, float]
    """x and y in CIE 1931, as the next three."""
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float]
    least: float
    """cd/m², as the next."""
    most: float


@dataclass(frozen=True, slots=True)
class ContentLight:
    """How light an HDR picture gets (CTA-861.3), in cd/m²."""

    most: int
    """Of a pixel."""
    average: int
    """Of the lightest frame."""


@dataclass(frozen=True, slots=True)
class Source:
    """An input that was measured. Unknown is None."""

    duration: float
    """Seconds, from the file's start to the end of its last picture."""
    width: int
    """Pixels, as they are stored: not turned, and not brought to squares."""
    height: int
    audio: tuple[AudioTrack, ...] = ()
    subtitles: tuple[SubtitleTrack, ...] = ()
    frames: int | None = None
    """How many there are; with a `duration` that was asked for, how many begin within that."""
    frame_rate: float | None = None
    """Frames per second: where it varies, the mean."""
    span: float | None = None
    """Seconds from the start of the first frame to that of the last."""
    variable: bool = False
    """Whether the time between frames varies."""
    codec: str | None = None
    pixel_format: str | None = None
    depth: int = 8
    """Bits of a sample."""
    rotation: int = 0
    """Degrees against the clock by which it is turned when it is shown: 0, 90, 180, 270."""
    mirrored: bool = False
    """Whether top and bottom change places before it is turned, as in a mirror."""
    sample_aspect: Fraction = Fraction(1)
    """The width of a pixel / its height."""
    interlaced: bool = False
    colour: Colour = field(default_factory=Colour)
    mastering: MasteringDisplay | None = None
    light: ContentLight | None = None
    size: int | None = None
    """Bytes of the file."""

    @property
    def shown(self) -> tuple[Fraction, Fraction]:
        """Width and height upright, in square pixels, none of which is lost: the lesser side is stretched."""
        aspect = self.sample_aspect
        if not Fraction(1, _MOST_ASPECT) <= aspect <= _MOST_ASPECT:
            aspect = Fraction(1)
        width, height = self.width * max(aspect, Fraction(1)), self.height / min(aspect, Fraction(1))
        return (height, width) if self.rotation % 180 else (width, height)
