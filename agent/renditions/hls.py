"""HLS playlists (RFC 8216): what a media playlist says of its pieces, and the one that names all. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_RANGE = re.compile(r"(\d{1,15})(?:@(\d{1,15}))?")
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)')


class PlaylistError(ValueError):
    """The text is no playlist that we make; the message says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a file."""

    uri: str
    seconds: float
    """0 for the head, which has no pictures."""
    size: int | None = None
    """Bytes; None: the whole file."""
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """What a media playlist names."""

    target: float
    """Seconds that no piece is longer than, rounded."""
    head: Piece | None
    """What a decoder needs before any piece."""
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Rendition:
    """A stream that players may choose. Unknown is None."""

    uri: str
    """Of its media playlist."""
    width: int
    height: int
    peak: int
    """Bits per second."""
    average: int
    """Bits per second."""
    codecs: str | None
    """RFC 6381, with commas between."""
    frame_rate: float | None
    """Frames per second."""


def parse(text: str) -> MediaPlaylist:
    """The pieces of a media playlist; `PlaylistError` if it is none, or has none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != "#EXTM3U":
        raise PlaylistError("it is no playlist of HLS")
    target, seconds, head = 0.0, 0.0, None
    size: int | None = None
    offset: int | None = None
    pieces: list[Piece] = []
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name == "#EXT-X-TARGETDURATION":
            target = _number(value)
        elif name == "#EXTINF":
            seconds = _number(value.partition(",")[0])
        elif name == "#EXT-X-BYTERANGE":
            size, offset = _range(value)
        elif name == "#EXT-X-MAP":
            attributes = {key: text.strip('"') for key, text in _ATTRIBUTE.findall(value)}
            where = _range(attributes["BYTERANGE"]) if "BYTERANGE" in attributes else (None, None)
            head = Piece(attributes.get("URI", ""), 0.0, *where)
        elif not line.startswith("#"):
            pieces.append(Piece(line, seconds, size, offset))
            size = offset = None
    if not pieces:
        raise PlaylistError("it names no piece")
    return MediaPlaylist(target, head, tuple(pieces))


def peak_and_average(target: float, pieces: Sequence[tuple[float, int]]) -> tuple[int, int]:
    """Bits per second of pieces (seconds, bytes): the most of any, and of all together.

    The most is that of any pieces in a row that last 0.5 to 1.5 times the target duration together
    (RFC 8216, section 4.3.4.2); a stream that is shorter than that has its average.
    """
    seconds, size = sum(piece[0] for piece in pieces), sum(piece[1] for piece in pieces)
    average = round(size * 8 / seconds) if seconds > 0 else 0
    peak = 0.0
    for first in range(len(pieces)):
        lasts, bits = 0.0, 0.0
        for piece in pieces[first:]:
            lasts, bits = lasts + piece[0], bits + piece[1] * 8
            if lasts > 1.5 * target:
                break
            if lasts >= 0.5 * target and lasts > 0:
                peak = max(peak, bits / lasts)
    return max(round(peak), average), average


def master(renditions: Sequence[Rendition]) -> str:
    """The playlist that names them all, in their order: players begin with the first."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for each in renditions:
        attributes = [f"BANDWIDTH={each.peak}", f"AVERAGE-BANDWIDTH={each.average}"]
        if each.codecs is not None:
            attributes.append(f'CODECS="{each.codecs}"')
        attributes.append(f"RESOLUTION={each.width}x{each.height}")
        if each.frame_rate is not None:
            attributes.append(f"FRAME-RATE={each.frame_rate:.3f}")
        lines += [f"#EXT-X-STREAM-INF:{','.join(attributes)}", each.uri]
    return "\n".join([*lines, ""])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise PlaylistError(f"{text[:40]!r} is no number of seconds") from error


def _range(text: str) -> tuple[int, int | None]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise PlaylistError(f"{text[:40]!r} is no range of bytes")
    return int(match[1]), None if match[2] is None else int(match[2])
