"""The containers: what goes into each. Data, no code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Container:
    """What we know of one container."""

    suffix: str
    """Of its file; for a stream in pieces, of its main playlist."""
    media_type: str
    """Of that file (RFC 6838)."""
    codecs: tuple[str, ...]
    audio: tuple[str, ...]
    """Audio codecs that it takes, the usual one first."""
    pieces: bool = False
    """Whether it is several files, in a directory."""


_ALL = ("h264", "h265", "vp9", "av1")

CONTAINERS: dict[str, Container] = {
    "mp4": Container("mp4", "video/mp4", _ALL, ("aac", "opus")),
    "mkv": Container("mkv", "video/x-matroska", _ALL, ("aac", "opus")),
    "webm": Container("webm", "video/webm", ("vp9", "av1"), ("opus",)),
    "mpegts": Container("ts", "video/mp2t", ("h264", "h265"), ("aac",)),
    "hls": Container("m3u8", "application/vnd.apple.mpegurl", ("h264", "h265", "av1"), ("aac",), pieces=True),
    "dash": Container("mpd", "application/dash+xml", _ALL, ("aac", "opus"), pieces=True),
}
