"""Cuts the piece of one window out of an input, in a process of its own: what it reads may be an attack.

    python -I -S -c ... N INPUT SIZE DEMUXERS OUTPUT WINDOW

INPUT is an open file, if SIZE is empty; else a socket by which one of that size is asked for, as
agent.chunks.ranged has it.
The last lines on stderr are what was made: a Made as JSON, or {"error": ...}.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from heapq import heappushpop
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any

from agent.chunks.ranged import RangedFile
from agent.chunks.times import common_step, from_start, moment
from agent.probed import ProbeError
from agent.prober import LINE, opened, video_of

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

AFTER = 2
"""Pictures beyond the window's end that are brought too: filters look at a picture's neighbours."""
_REORDERED = 40
"""Packets of pictures that may come before one that is shown earlier: 16, of two fields each, and some."""
_DELAY = 34
"""Packets by which decoding is ahead of showing: as many as may be reordered, of two fields each."""
_FORMAT = "nut"
_TAGGED = ("utvideo",)
"""Codecs of which only the tag says what format the pictures have: the muxer would take another."""
_STEPS = (0, 1, 5, 20, 60)
"""Seconds before a key frame from which it is looked for, one after the other, before all is read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be cut."""

    seek: float
    """Seconds from the file's start: when the key frame is shown that the piece begins with."""
    end: int
    """The tick of the first picture that is not needed."""
    time_base: tuple[int, int]
    """Seconds of a tick."""


@dataclass(frozen=True, slots=True)
class Made:
    """A piece."""

    base: int
    """Ticks of the window's time base from the file's start to the time 0 of the piece."""
    packets: int


@dataclass(slots=True)
class _End:
    """Knows when nothing more is needed: every picture before `end` and AFTER of those behind it have come.

    A packet is decoded no later than it is shown. Where a file's times for that cannot be right, so
    many packets are waited for as any codec may reorder.
    """

    end: int
    later: list[int] = field(default_factory=list)
    """The times of the first pictures at or behind the end, in order."""
    count: int = 0
    last: int | None = None
    trusted: bool = True

    def reached(self, shown: int, decoded: int | None) -> bool:
        """Whether this packet, and all that come behind it, are needless."""
        wrong = decoded is None or decoded > shown or (self.last is not None and decoded < self.last)
        self.trusted = self.trusted and not wrong
        self.last = decoded if decoded is not None else self.last
        enough = len(self.later) == AFTER
        if enough and self.trusted and decoded is not None and decoded > self.later[-1]:
            return True
        if shown >= self.end:
            self.count += 1
            self.later = sorted([*self.later, shown])[:AFTER]
        return self.count > _REORDERED + AFTER


def cut(container: InputContainer, video: VideoStream, wanted: Wanted, output: IO[bytes]) -> Made:
    """Writes the piece; ProbeError if the key frame that it begins with is not there."""
    import av

    base = video.time_base
    if base is None:
        raise ProbeError("the input's picture has no time base")
    offset = from_start(container.start_time, base)
    tick = Fraction(*wanted.time_base)
    end = _End(-(-(wanted.end * tick) // base))
    # Whole ticks of both: a moment of the piece is one of the window.
    grid = common_step(base, tick)
    first: int | None = None
    count = 0
    packets = _needed(_from_key(container, video, offset, moment(wanted.seek, base)), offset, end)
    with av.open(output, "w", format=_FORMAT) as made:
        stream = _stream(made, video)
        for packet, zero in _based(packets, offset, grid, base):
            if first is None:
                first = zero
            packet.stream = stream
            made.mux(packet)
            count += 1
    if first is None:
        raise ProbeError("the input has no picture where its piece should begin")
    return Made(int(first * base / tick), count)


def _stream(made: OutputContainer, video: VideoStream) -> Any:
    stream = made.add_stream_from_template(video, opaque=True)
    stream.time_base = video.time_base
    if video.codec.canonical_name in _TAGGED:
        stream.codec_context.codec_tag = video.codec_context.codec_tag
    return stream


def _from_key(
    container: InputContainer, video: VideoStream, offset: int, key: int
) -> Iterator[Packet[VideoStream]]:
    """The picture's packets from the key frame on that is shown at the tick `key`."""
    _leave_out_others(container, video)
    first = None if video.start_time is None else video.start_time + offset
    for target in _targets(key, first, video):
        if target is not None:
            container.seek(target - offset, stream=video)
        found = False
        for packet in container.demux(video):
            shown = None if packet.pts is None else packet.pts + offset
            if not found and packet.is_keyframe and shown is not None:
                if shown > key > 0:
                    break  # its format leads to no key frames, and it was too late
                found = shown == key or key <= 0
            if found and packet.size:
                yield packet
        if found:
            return


def _leave_out_others(container: InputContainer, video: VideoStream) -> None:
    from av.stream import Discard

    for stream in container.streams:
        if stream.index != video.index:
            stream.discard = Discard.all


def _targets(key: int, first: int | None, video: VideoStream) -> Iterator[int | None]:
    """Where to look for the key frame, in ticks, from near to far; None: from where the reading began."""
    base = video.time_base or Fraction(1)
    if first is None or key <= max(first, 0):
        yield None
        return
    for seconds in _STEPS:
        target = key - round(seconds / base)
        if target <= first:
            break
        yield target
    yield first


def _needed(packets: Iterator[Packet[VideoStream]], offset: int, end: _End) -> Iterator[Packet[VideoStream]]:
    for packet in packets:
        if packet.pts is None:
            raise ProbeError("a picture of the input has no time")
        decoded = None if packet.dts is None else packet.dts + offset
        if end.reached(packet.pts + offset, decoded):
            return
        yield packet


def _based(
    packets: Iterator[Packet[VideoStream]], offset: int, grid: Fraction, base: Fraction
) -> Iterator[tuple[Packet[VideoStream], int]]:
    """The packets with times that are not below 0, as NUT has none; and the tick that became 0."""
    begin = list(islice(packets, _REORDERED))
    times = [packet.pts for packet in begin if packet.pts is not None]
    if not times:
        return
    step = int(grid / base)
    zero = (min(times) + offset - _DELAY) // step * step
    # NUT keeps no decoding times. libav wants to see them grow, and none behind its picture's own time.
    waiting = [min(times) + offset - zero - n for n in range(_DELAY, 0, -1)]
    last = -1
    for packet in chain(begin, packets):
        packet.pts = _at(packet.pts, offset - zero)
        last = packet.dts = max(heappushpop(waiting, packet.pts), last + 1)
        yield packet, zero


def _at(time: int | None, offset: int) -> int:
    if time is None or time + offset < 0:
        raise ProbeError("the times of the input's pictures go back")
    return time + offset


def main(source: str, size: str, demuxers: str, output: str, wanted: str) -> None:
    """Cut the piece and say what it is."""
    given = RangedFile(int(source), int(size)) if size else int(source)
    try:
        asked = json.loads(wanted)
        with (
            os.fdopen(int(output), "wb") as file,
            opened("the input", given, demuxers) as container,
        ):
            video = video_of("the input", container)
            made = cut(container, video, Wanted(asked["seek"], asked["end"], tuple(asked["time_base"])), file)
        text = json.dumps(asdict(made))
    except (ProbeError, OSError) as error:
        text = json.dumps({"error": str(error)[: LINE // 2]})
    sys.stderr.write("\n" + text + "\n")
