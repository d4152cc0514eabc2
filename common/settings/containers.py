"""The containers: what goes into each. Data, no code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Container:
    """What we know of one container. Codecs of what is copied have libavcodec's names."""

    suffix: str
    """Of its file; for a stream in pieces, of its main playlist."""
    media_type: str
    """Of that file (RFC 6838)."""
    codecs: tuple[str, ...]
    audio: tuple[str, ...]
    """Audio codecs that it takes, the usual one first."""
    pieces: bool = False
    """Whether it is several files, in a directory."""
    copied_audio: tuple[str, ...] | None = ()
    """Audio codecs that can be copied into it; None: all."""
    most_audio: int = 32
    """How many tracks of sound it takes."""
    text: str | None = None
    """ffmpeg's encoder for its subtitles that are text; None: it takes none."""
    copied_subtitles: tuple[str, ...] = ()
    """Subtitles that go into it as they are."""
    chapters: bool = False
    attachments: bool = False
    """Whether it takes other files: the fonts of subtitles."""


_ALL = ("h264", "h265", "vp9", "av1")
_MP4_AUDIO = ("aac", "ac3", "alac", "eac3", "flac", "mp3", "opus")
_CMAF_AUDIO = ("aac", "ac3", "eac3", "flac", "opus")
_PICTURES = ("hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle")

CONTAINERS: dict[str, Container] = {
    "mp4": Container(
        "mp4",
        "video/mp4",
        _ALL,
        ("aac", "opus"),
        copied_audio=_MP4_AUDIO,
        text="mov_text",
        copied_subtitles=("mov_text",),
        chapters=True,
    ),
    "mkv": Container(
        "mkv",
        "video/x-matroska",
        _ALL,
        ("aac", "opus"),
        copied_audio=None,
        text="subrip",
        copied_subtitles=("subrip", "ass", "ssa", "webvtt", *_PICTURES),
        chapters=True,
        attachments=True,
    ),
    "webm": Container(
        "webm",
        "video/webm",
        ("vp9", "av1"),
        ("opus",),
        copied_audio=("opus", "vorbis"),
        text="webvtt",
        copied_subtitles=("webvtt",),
        chapters=True,
    ),
    "mpegts": Container(
        "ts",
        "video/mp2t",
        ("h264", "h265"),
        ("aac",),
        copied_audio=("aac", "ac3", "eac3", "mp2", "mp3"),
        copied_subtitles=("dvb_subtitle",),
    ),
    "hls": Container(
        "m3u8",
        "application/vnd.apple.mpegurl",
        ("h264", "h265", "av1"),
        ("aac",),
        pieces=True,
        copied_audio=_CMAF_AUDIO,
        most_audio=1,
    ),
    "dash": Container(
        "mpd", "application/dash+xml", _ALL, ("aac", "opus"), pieces=True, copied_audio=_CMAF_AUDIO
    ),
}
