"""What an encode brought to light beyond single numbers: files, repeats, measurements on the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from common.model.split import Divisible


class ArtifactKind(StrEnum):
    """What a file of a result is for."""

    VIDEO = "video"
    """A whole file that can be played."""
    PLAYLIST = "playlist"
    """What names the pieces of a stream: HLS, DASH."""
    SEGMENT = "segment"
    """A piece of a stream."""
    SUBTITLE = "subtitle"
    POSTER = "poster"
    THUMBNAIL = "thumbnail"
    SPRITE = "sprite"
    """Many small pictures in one file."""
    VTT = "vtt"
    """Which part of a sprite shows which moment."""
    QUALITY = "quality"
    """The quality of each frame."""
    INTERMEDIATE = "intermediate"
    """What other jobs of its family read; it is removed when that family is finished."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a job produced."""

    path: str
    """Its name below the job's output, with `/` between names."""
    kind: ArtifactKind
    media_type: str
    """Such as `video/mp4` (RFC 6838)."""
    size: int
    """Bytes."""
    sha256: str
    """64 hexadecimal digits."""
    location: str | None = None
    """Where it can be had: `file:<sha256>` in the master's file store, `media:ROOT/PATH`; None: it is on
    the node alone."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """One encode of those that `confidence` asked for. Unknown is None."""

    speed: float | None
    """Seconds of video encoded per second of wall time."""
    wall_seconds: float | None
    cpu_seconds: float | None
    energy_joules: float | None = None


@dataclass(frozen=True, slots=True)
class CrfProbe:
    """One measurement of the search for the CRF that gives `target_vmaf`."""

    crf: float
    vmaf: float
    """The mean over what was encoded."""
    bitrate: float | None
    """Bits per second."""
    whole: bool
    """Whether it was an encode of the whole output, which may be the one that is kept; else samples were."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All of that."""

    artifacts: tuple[Artifact, ...] = ()
    repeats: tuple[Repeat, ...] = ()
    """In the order in which they ran; empty: the encode ran once."""
    probes: tuple[CrfProbe, ...] = ()
    """In the order in which they were made."""
    warnings: tuple[str, ...] = ()
    """Sentences for people: what was not as it should be, and what was made of it."""
    divisible: Divisible | None = None
    """What a plan found, where the job is to be encoded in chunks."""


NO_FINDINGS = Findings()
