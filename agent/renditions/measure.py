"""What players have to be told of a stream in pieces, measured in the files that an encode has made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from agent.produced import Produced
from agent.publish.finished import open_finished
from agent.renditions import hls
from agent.renditions.boxes import codec_names
from agent.task import FailedError
from common.model import ArtifactKind, Scalar

MAX_HEAD = 64 * 1024
"""Bytes at the beginning of a file that its description is looked for in: it has about 1,000."""
MAX_PLAYLIST = 4 * 1024 * 1024
"""Bytes; a day in pieces of a second has about as many."""
_HLS = "application/vnd.apple.mpegurl"


def facts(directory: Path, files: Sequence[Produced]) -> dict[str, Scalar]:
    """The metrics `codecs`, `peak_bitrate` and `average_bitrate` of what was made; None where unknown.

    `files` as `agent.encode.Encoded` has them. `FailedError` (`output_invalid`) if they are no such stream.
    """
    playlists = [file for file in files if file.kind is ArtifactKind.PLAYLIST]
    if not playlists:
        return {}
    names: list[str] = []
    for file in files:
        if file.kind is ArtifactKind.SEGMENT:
            names += codec_names(_read(directory, file.name, MAX_HEAD))
    peak = average = None
    if playlists[0].media_type == _HLS:
        peak, average = _bitrates(directory, playlists[0].name)
    return {"codecs": ",".join(names) or None, "peak_bitrate": peak, "average_bitrate": average}


def _bitrates(directory: Path, name: str) -> tuple[int, int]:
    try:
        playlist = hls.parse(_read(directory, name, MAX_PLAYLIST).decode("utf-8"))
    except (hls.PlaylistError, UnicodeDecodeError) as error:
        raise FailedError("output_invalid", f"the playlist {name} cannot be used: {error}") from error
    pieces = [
        (piece.seconds, _size(directory, piece.uri) if piece.size is None else piece.size)
        for piece in playlist.pieces
    ]
    return hls.peak_and_average(playlist.target, pieces)


def _read(directory: Path, name: str, most: int) -> bytes:
    descriptor = _opened(directory, name)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most)


def _size(directory: Path, name: str) -> int:
    descriptor = _opened(directory, name)
    try:
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _opened(directory: Path, name: str) -> int:
    """A regular file that ffmpeg has written: no link is followed out of the directory."""
    base = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return open_finished(base, os.fsencode(name))
    finally:
        os.close(base)
