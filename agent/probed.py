"""What is found out about a media file. Data."""

from __future__ import annotations

from dataclasses import dataclass, field

from common.source import AudioTrack, Colour, ContentLight, MasteringDisplay, SubtitleTrack


class ProbeError(ValueError):
    """The file cannot be read as video; the message says why."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A media file as measured. Unknown is None."""

    width: int
    """Pixels as they are stored, like `height`."""
    height: int
    frame_rate: float | None
    """Frames per second, as the file states it."""
    codec: str
    """In our words: `h264`, `h265`, `vp9` or `av1`; else libavcodec's."""
    pixel_format: str | None
    frames: int
    """Counted one by one, not read from a header."""
    duration: float
    """Seconds from the first picture's start to the last one's end."""
    bitrate: float | None
    """Bits per second of the video stream alone."""
    size: int
    """Bytes of the file."""
    audio_codec: str | None
    """Of the first track; None: no sound."""
    audio_duration: float | None
    """Seconds, of the first track."""
    end: float
    """Seconds from the file's start to the last picture's end."""
    missing: float | None
    """Seconds at the end that the file's header promises, and that no stream has; None: it promises none."""
    span: float | None = None
    """Seconds from the first picture's start to the last one's start; None: not all of them say theirs."""
    begun: int | None = None
    """How many pictures begin before the moment that was asked about."""
    variable: bool = False
    """Whether the time between pictures varies, by more than containers round."""
    damaged: bool = False
    """Whether some of it cannot be read, or cannot be decoded as it begins amid a group of pictures."""
    rotation: int = 0
    """Degrees against the clock by which it is turned when it is shown."""
    mirrored: bool = False
    """Whether top and bottom change places before it is turned, as in a mirror."""
    sample_aspect: tuple[int, int] = (1, 1)
    """The width and the height of a pixel."""
    interlaced: bool = False
    depth: int | None = None
    """Bits of a sample."""
    colour: Colour = field(default_factory=Colour)
    mastering: MasteringDisplay | None = None
    light: ContentLight | None = None
    audio: tuple[AudioTrack, ...] = ()
    """The tracks that have sound in them."""
    subtitles: tuple[SubtitleTrack, ...] = ()
    chapters: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """A file with nothing but sound in it, as measured."""

    audio: tuple[AudioTrack, ...]
    duration: float
    """Seconds, of the first track."""
    size: int
    """Bytes of the file."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A chunk as measured, and some of its frames, which were asked for by their numbers."""

    probe: Probe
    frames: int
    """Different times at which its pictures are shown."""
    shown: tuple[int, ...]
    """When those that were asked for are, in units of `time_base`; those are left out that are not there."""
    cut: tuple[bool, ...]
    """For each of them, whether it is a key frame with nothing before it that is needed behind, and the
    other way round."""
    time_base: tuple[int, int]
    """Numerator and denominator of the file's own unit of time, in seconds."""
