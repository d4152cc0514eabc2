"""Measures a media file, in a process of its own: a file that is no video but an attack meets nothing there.

    python -I -S -c ... NAME DESCRIPTOR DEMUXERS

The last line on stderr is what was found: a Probe as JSON, or {"error": ...}. The
agent itself never loads libav.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

_CODECS = {"h264": "h264", "hevc": "h265", "vp9": "vp9", "av1": "av1"}
"""libavcodec's names of what the settings call otherwise."""


class ProbeError(ValueError):
    """The file cannot be read as video; the message says why."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A media file as measured. Unknown is None."""

    width: int
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
    """None: no sound."""
    audio_duration: float | None
    """Seconds."""
    end: float
    """Seconds from the file's start to the last picture's end."""
    missing: float | None
    """Seconds at the end that the file's header promises, and that no stream has; None: it promises none."""


@dataclass(slots=True)
class _Tally:
    """What the packets of one stream add up to."""

    count: int = 0
    size: int = 0
    start: Fraction | None = None
    end: Fraction = Fraction(0)

    def add(self, packet: Packet[Stream], step: Fraction | None) -> None:
        """`step` is a packet's length in seconds, where the packet does not tell."""
        if packet.size == 0 or packet.is_discard:
            return
        self.count += 1
        self.size += packet.size
        if packet.pts is None or packet.time_base is None:
            return
        start = packet.pts * packet.time_base
        length = packet.duration * packet.time_base if packet.duration else step or Fraction(0)
        self.start = start if self.start is None else min(self.start, start)
        self.end = max(self.end, start + length)

    @property
    def seconds(self) -> float:
        """From the first start, or from 0 where an encoder's priming lies before it."""
        return float(self.end - max(self.start or Fraction(0), Fraction(0)))


def measure(name: str, descriptor: int, demuxers: str) -> Probe:
    """Reads the whole open file once, without decoding it: one packet of most containers is one picture.

    `name` is what errors call it. Only these `demuxers` are tried, and nothing else can be opened:
    no protocol takes a path. ProbeError if it is no video; OSError if it cannot be read.
    """
    import av  # only this process loads it
    from av.stream import Disposition

    options = {"fd": str(descriptor), "protocol_whitelist": "fd", "format_whitelist": demuxers}
    try:
        with av.open("fd:", options=options) as container:
            videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
            if not videos:
                raise ProbeError(f"{name} has no video stream")
            video = videos[0]
            audio = container.streams.audio[0] if container.streams.audio else None
            rate = video.average_rate or video.guessed_rate
            tallies = {stream.index: _Tally() for stream in container.streams}
            for packet in container.demux():
                step = 1 / rate if rate and packet.stream.index == video.index else None
                tallies[packet.stream.index].add(packet, step)
            pictures = tallies[video.index]
            context = video.codec_context
            start = (container.start_time or 0) / av.time_base
            end = max(float(tally.end) for tally in tallies.values()) - start
            promised = None if container.duration is None else container.duration / av.time_base
            return Probe(
                width=context.width,
                height=context.height,
                frame_rate=float(rate) if rate else None,
                codec=_CODECS.get(video.codec.canonical_name, video.codec.canonical_name),
                pixel_format=context.pix_fmt,
                frames=pictures.count,
                duration=pictures.seconds,
                bitrate=pictures.size * 8 / pictures.seconds if pictures.seconds > 0 else None,
                size=os.fstat(descriptor).st_size,
                audio_codec=audio.codec.canonical_name if audio else None,
                audio_duration=tallies[audio.index].seconds if audio else None,
                end=float(pictures.end) - start,
                missing=None if promised is None else max(0.0, promised - end),
            )
    except av.FFmpegError as error:
        raise ProbeError(f"{name} cannot be read as video: {error.strerror}") from error


def main(name: str, descriptor: str, demuxers: str) -> None:
    """Measure the file and say what it is."""
    try:
        found = asdict(measure(name, int(descriptor), demuxers))
    except (ProbeError, OSError) as error:
        found = {"error": str(error)}
    sys.stderr.write(f"\n{json.dumps(found)}\n")
