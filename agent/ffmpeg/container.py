"""The container's part of the command line, and the files that come of it. Pure."""

from __future__ import annotations

from agent.ffmpeg.source import PROTOCOLS
from agent.produced import Produced
from common.model import ArtifactKind
from common.settings import CONTAINERS, EncodeSettings
from common.settings.tracks import sounds

_MUXERS = {"mp4": "mp4", "mkv": "matroska", "webm": "webm", "mpegts": "mpegts", "hls": "hls", "dash": "dash"}


def container(settings: EncodeSettings, output: str) -> list[str]:
    """Writes `output`, a name in ffmpeg's working directory, and beside it what it names."""
    stem = output.rpartition(".")[0]
    how: list[str] = []
    if settings.container == "mp4":
        how = ["-movflags", "+faststart"]
    elif settings.container == "hls":
        how = ["-hls_time", f"{settings.segment_seconds:g}", "-hls_playlist_type", "vod", *_PIECES]
        how += ["-hls_segment_type", "fmp4", "-hls_flags", "single_file+independent_segments"]
        how += ["-hls_segment_filename", f"{stem}.m4s"]
    elif settings.container == "dash":
        how = ["-seg_duration", f"{settings.segment_seconds:g}", "-dash_segment_type", "mp4", *_PIECES]
        how += ["-single_file", "1", "-single_file_name", f"{stem}-$RepresentationID$.mp4"]
    return [*how, *PROTOCOLS, "-f", _MUXERS[settings.container], "-y", f"file:{output}"]


_PIECES = ["-avoid_negative_ts", "disabled"]
"""Times stay what they are. Moved up, they would begin later the more an encoder reorders pictures: the
renditions of one input would not be in step."""


def files(settings: EncodeSettings, output: str) -> tuple[Produced, ...]:
    """What `container` makes ffmpeg write: `output`, then what it names."""
    stem = output.rpartition(".")[0]
    usual = CONTAINERS[settings.container]
    if not usual.pieces:
        return (Produced(output, ArtifactKind.VIDEO, usual.media_type),)
    playlist = Produced(output, ArtifactKind.PLAYLIST, usual.media_type)
    return (playlist, *(Produced(name, ArtifactKind.SEGMENT, kind) for name, kind in _media(settings, stem)))


def picture_file(settings: EncodeSettings, output: str) -> str:
    """Which of the files has the picture in it."""
    return files(settings, output)[1 if CONTAINERS[settings.container].pieces else 0].name


def sound_files(settings: EncodeSettings, output: str) -> tuple[str, ...]:
    """Which files have the tracks of sound in them, where each has one of its own."""
    return tuple(file.name for file in files(settings, output) if file.media_type == "audio/mp4")


def _media(settings: EncodeSettings, stem: str) -> list[tuple[str, str]]:
    if settings.container == "hls":
        return [(f"{stem}.m4s", "video/mp4")]
    made = settings.source is None and settings.audio != "none"
    tracks = 1 if made else len(sounds(settings))
    return [
        (f"{stem}-0.mp4", "video/mp4"),
        *((f"{stem}-{number}.mp4", "audio/mp4") for number in range(1, tracks + 1)),
    ]
