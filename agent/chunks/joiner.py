"""Writes the packets of chunks as one stream, in a process of its own, as chunks were made elsewhere.

    python -I -S -c ... SOURCE TARGET PLAN

SOURCE and TARGET are descriptors: all chunks, one after another, and the file that is written. The last line
on stderr is {"packets": ...} or {"error": ...}. The agent itself never loads libav.
"""

from __future__ import annotations

import json
import os
import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from agent.chunks.seams import Film, SeamError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

_BUFFER = 256 * 1024
"""Bytes that are read or written at once."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One chunk: where it is in SOURCE, and which of its frames are taken."""

    name: str
    offset: int
    size: int
    """Bytes, like `offset`."""
    frames: int
    """How many are taken."""
    first: int
    """The tick of the first one that is taken."""
    end: int
    """The tick at which the last of these ends."""
    lead: int
    """The tick of the first frame in the chunk."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is joined."""

    time_base: tuple[int, int]
    slices: tuple[Slice, ...]

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Plan:
        """What `text` gave."""
        said = json.loads(text)
        numerator, denominator = said["time_base"]
        return cls((numerator, denominator), tuple(Slice(**each) for each in said["slices"]))


class _Part:
    """A part of an open file, as a file: what libav reads through."""

    def __init__(self, descriptor: int, offset: int, size: int) -> None:
        self._descriptor, self._offset, self._size, self._at = descriptor, offset, size, 0

    def read(self, count: int) -> bytes:
        """The next bytes; none at its end."""
        data = os.pread(self._descriptor, min(count, self._size - self._at), self._offset + self._at)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Where it is then, from its beginning."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = min(max(0, base + offset), self._size)
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at


def join(plan: Plan, source: int, target: int) -> int:
    """Writes the chunks of the open file `source` as one MP4 to `target`; how many packets there are.

    `SeamError` if they do not fit together. Memory grows by some bytes for each frame alone.
    """
    import av

    film = Film(plan.slices[-1].end)
    for slice_ in plan.slices:
        with _opened(slice_, source) as (_, video, packets):
            ticks = array("q", (tick for tick, _ in _taken(packets, slice_, video, plan)))
        _whole(slice_, ticks)
        film.add(slice_.name, ticks)
    numerator, denominator = plan.time_base
    scale = str(denominator)
    options = {"video_track_timescale": scale, "movie_timescale": scale}
    with (
        os.fdopen(os.dup(target), "wb") as file,
        av.open(file, "w", format="mp4", options=options, buffer_size=_BUFFER) as output,
    ):
        written: Any = None
        headers = b""
        times, place = film.decoded(), 0
        for slice_ in plan.slices:
            with _opened(slice_, source) as (_, video, packets):
                own = bytes(video.codec_context.extradata or b"")
                if written is None:
                    # opaque: libav need not have an encoder of that codec.
                    written = output.add_stream_from_template(video, opaque=True)
                    written.time_base = Fraction(1, denominator)
                    headers = own
                elif own != headers:
                    raise SeamError(f"{slice_.name} was encoded with other headers than the chunks before it")
                order = film.shown[place : place + slice_.frames]
                rank = {tick: place + number for number, tick in enumerate(order)}
                for tick, packet in _taken(packets, slice_, video, plan):
                    packet.stream = written
                    packet.time_base = Fraction(1, denominator)
                    packet.pts, packet.dts = tick * numerator, next(times) * numerator
                    packet.duration = film.length(rank[tick]) * numerator
                    output.mux(packet)
                place += slice_.frames
    return place


@contextmanager
def _opened(
    slice_: Slice, source: int
) -> Iterator[tuple[InputContainer, VideoStream, Iterator[Packet[Any]]]]:
    import av

    part: Any = _Part(source, slice_.offset, slice_.size)
    try:
        with av.open(part, options={"format_whitelist": "mov"}, buffer_size=_BUFFER) as container:
            if not container.streams.video:
                raise SeamError(f"{slice_.name} has no picture")
            video = container.streams.video[0]
            yield container, video, container.demux(video)
    except av.FFmpegError as error:
        raise SeamError(f"{slice_.name} cannot be read: {error.strerror}") from error


def _taken(
    packets: Iterator[Packet[Any]], slice_: Slice, video: VideoStream, plan: Plan
) -> Iterator[tuple[int, Packet[Any]]]:
    """The packets of the frames that are taken, each with its tick; they begin with a key frame."""
    ratio = (video.time_base or Fraction(1)) / Fraction(*plan.time_base)
    taken = 0
    for packet in packets:
        if not packet.size:
            continue
        if packet.pts is None:
            raise SeamError(f"{slice_.name} has a frame without a time")
        own, rest = divmod(packet.pts * ratio.numerator, ratio.denominator)
        if rest:
            raise SeamError(f"{slice_.name} has a frame between two ticks")
        tick = slice_.lead + own
        if not slice_.first <= tick < slice_.end:
            if 0 < taken < slice_.frames:
                raise SeamError(f"{slice_.name} has a frame of its neighbour amid its own")
            continue
        if taken == 0 and not (packet.is_keyframe and tick == slice_.first):
            raise SeamError(f"{slice_.name} does not begin with a key frame")
        taken += 1
        yield tick, packet


def _whole(slice_: Slice, ticks: array[int]) -> None:
    if len(ticks) != slice_.frames:
        raise SeamError(f"{slice_.name} has {len(ticks)} frames instead of {slice_.frames}")


def main(source: str, target: str, text: str) -> None:
    """Join, and say how that went."""
    try:
        said: dict[str, Any] = {"packets": join(Plan.read(text), int(source), int(target))}
    except (SeamError, OSError) as error:
        said = {"error": str(error)[:400]}
    sys.stderr.write("\n" + json.dumps(said, separators=(",", ":")) + "\n")
