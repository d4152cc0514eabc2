"""The files that an encode leaves in the attempt's directory, before they are published. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from common.model import ArtifactKind


@dataclass(frozen=True, slots=True)
class Produced:
    """A file that was made, and what it is for."""

    name: str
    """Below the attempt's directory, with `/` between names."""
    kind: ArtifactKind
    media_type: str
    """Such as `video/mp4` (RFC 6838)."""
