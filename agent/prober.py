"""Measures a media file, in a process of its own: a file that is no video but an attack meets nothing there.

    python -I -S -c ... 4 NAME DESCRIPTOR DEMUXERS WHAT

The last lines on stderr are what was found: a Probe as JSON, or {"error": ...}, in lines of at most
LINE characters. The agent itself never loads libav.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

from agent.colours import colour, content_light, mastering_display
from agent.orientation import is_mirrored
from agent.probed import Counted, Heard, Probe, ProbeError
from agent.tally import Steps, Tally
from common.source import (
    MOST_TRACKS,
    AudioTrack,
    Colour,
    ContentLight,
    MasteringDisplay,
    SubtitleTrack,
)

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from agent.chunks.ranged import RangedFile

__all__ = ["LINE", "SOUND", "Probe", "ProbeError", "listen", "main", "measure"]

LINE = 900
"""Characters: who reads the lines cuts longer ones."""
SOUND = "sound"
"""WHAT of a file without pictures; else it is nothing, or the `until` of `measure`, or one of a chunk."""
CHUNK = "chunk:"
"""How WHAT of a chunk begins; the numbers of frames follow, of which it is asked when they are shown."""
_CODECS = {"h264": "h264", "hevc": "h265", "vp9": "vp9", "av1": "av1"}
"""libavcodec's names of what the settings call otherwise."""
_TEXT = ("subrip", "ass", "ssa", "mov_text", "webvtt", "text", "microdvd", "subviewer")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,2}", re.ASCII)
_MOST_CHANNELS = 64
_MOST_CHAPTERS = 10_000
_BUFFER = 128 * 1024
"""Bytes that are asked for at once, where they have to be asked for."""
_TRIED = 32
"""Packets in which a first picture is looked for."""
_MOST_PIXELS = 8192 * 8192
"""Of a picture that is decoded here."""


@dataclass(slots=True)
class _Look:
    """What the first packets tell, and the first picture that comes of them."""

    tried: int = 0
    keyed: bool = False
    """Whether they begin with a picture that can be decoded on its own."""
    seen: bool = False
    rotation: int = 0
    mirrored: bool = False
    interlaced: bool = False
    colour: Colour = field(default_factory=Colour)
    mastering: MasteringDisplay | None = None
    light: ContentLight | None = None

    def at(self, packet: Packet[Any]) -> None:
        """Decodes it, if none was decoded yet; also one that is only there for others to be decoded."""
        import av

        self.keyed |= self.tried == 0 and packet.is_keyframe
        self.tried += 1
        context = packet.stream.codec_context
        if self.seen or self.tried > _TRIED or context.width * context.height > _MOST_PIXELS:
            return
        with suppress(av.FFmpegError):  # perhaps the next one can be decoded
            for frame in packet.decode():
                self._note(frame)
                return

    def _note(self, frame: VideoFrame) -> None:
        self.seen = True
        self.rotation = round(frame.rotation) % 360
        self.interlaced = bool(frame.interlaced_frame)
        self.colour = colour(frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range)
        said: Any = frame.side_data
        self.mirrored = is_mirrored(bytes(said.get("DISPLAYMATRIX") or b""))
        self.mastering = mastering_display(bytes(said.get("MASTERING_DISPLAY_METADATA") or b""))
        self.light = content_light(bytes(said.get("CONTENT_LIGHT_LEVEL") or b""))


@dataclass(slots=True)
class _Seen:
    """What was seen of a file."""

    tallies: dict[int, Tally]
    steps: Steps = field(default_factory=Steps)
    begun: int = 0
    look: _Look = field(default_factory=_Look)
    untimed: bool = False
    """Whether a picture does not say when it is shown."""
    broken: bool = False
    """Whether the reading ended with an error."""


def measure(name: str, descriptor: int, demuxers: str, until: float | None = None) -> Probe:
    """Reads the whole open file once, and decodes its first picture: one packet is one picture.

    `name` is what errors call it; `until`: seconds from the file's start before which pictures are
    counted apart. Only these `demuxers` are tried, and nothing else can be opened: no protocol takes
    a path. ProbeError if it is no video; OSError if it cannot be read.
    """
    size = _size(name, descriptor)
    with opened(name, descriptor, demuxers) as container:
        video = video_of(name, container)
        seen = _read(name, container, video, until)
        return _probe(container, video, seen, size, until)


def listen(name: str, descriptor: int, demuxers: str) -> Heard:
    """Reads a whole file with nothing but sound in it, as `measure` does; ProbeError if there is none."""
    size = _size(name, descriptor)
    with opened(name, descriptor, demuxers) as container:
        seen = _read(name, container, None, None)
        audio = list(_audio(container, seen))
        if not audio:
            raise ProbeError(f"{name} has no sound")
        return Heard(tuple(track for track, _ in audio), audio[0][1].seconds, size)


def counted(name: str, descriptor: int, demuxers: str, asked: Sequence[int]) -> Counted:
    """What a chunk is, as `measure` has it, and when its frames with these numbers are shown."""
    probe = measure(name, descriptor, demuxers)
    os.lseek(descriptor, 0, os.SEEK_SET)
    with opened(name, descriptor, demuxers) as container:
        video = video_of(name, container)
        packets = [(p.pts, p.is_keyframe) for p in container.demux(video) if p.size and p.pts is not None]
        base = video.time_base or Fraction(0)
    order = sorted({shown for shown, _ in packets})
    known = [order[number] for number in asked if number < len(order)]
    return Counted(
        probe,
        len(order),
        tuple(known),
        tuple(_is_cut(packets, shown) for shown in known),
        (base.numerator, base.denominator),
    )


def _is_cut(packets: Sequence[tuple[int, bool]], at: int) -> bool:
    """Whether nothing before the frame shown at `at` is needed from there on, nor behind it before."""
    place = next(number for number, (shown, _) in enumerate(packets) if shown == at)
    before, behind = packets[:place], packets[place:]
    return packets[place][1] and all(p < at for p, _ in before) and all(p >= at for p, _ in behind)


def _size(name: str, descriptor: int) -> int:
    size = os.fstat(descriptor).st_size
    if size == 0:
        raise ProbeError(f"{name} is empty: it has 0 bytes")
    return size


@contextmanager
def opened(name: str, source: int | RangedFile, demuxers: str) -> Iterator[InputContainer]:
    import av  # only this process loads it

    options = {"protocol_whitelist": "fd", "format_whitelist": demuxers}
    file: Any = source
    if isinstance(source, int):
        file, options["fd"] = "fd:", str(source)
    try:
        with av.open(file, options=options, metadata_errors="replace", buffer_size=_BUFFER) as container:
            yield container
    except av.FFmpegError as error:
        raise ProbeError(
            f"{name} cannot be read as video: {error.strerror}; it is damaged or encrypted, "
            "or of a kind that is not read, whatever its name says"
        ) from error


def video_of(name: str, container: InputContainer) -> VideoStream:
    from av.stream import Disposition

    covers = 0
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
        covers += 1
    more = ", only a cover picture" if covers else ""
    raise ProbeError(f"{name} has no video stream{more}")


def _read(name: str, container: InputContainer, video: VideoStream | None, until: float | None) -> _Seen:
    import av

    seen = _Seen({stream.index: Tally() for stream in container.streams})
    limit = None if until is None else Fraction(until) + Fraction(container.start_time or 0, av.time_base)
    step = Fraction(0)
    if video is not None:
        rate = video.average_rate or video.guessed_rate
        step = 1 / rate if rate else step
        video.codec_context.thread_count = 1
        # The first picture comes out at once, without those that could come before it.
        video.codec_context.options = {"flags": "+low_delay"}
    try:
        for packet in container.demux():
            if not packet.size or packet.stream.index not in seen.tallies:
                continue  # the last one of each stream is empty
            own = video is not None and packet.stream.index == video.index
            if own and packet.has_sidedata("encryption_info"):
                raise ProbeError(f"{name} is encrypted: give it without its protection (DRM)")
            if own:
                seen.look.at(packet)
            if not packet.is_discard:
                _take(seen, packet, step if own else None, limit)
    except av.FFmpegError:
        if not any(tally.count for tally in seen.tallies.values()):
            raise
        seen.broken = True
    seen.steps.end()
    return seen


def _take(seen: _Seen, packet: Packet[Stream], step: Fraction | None, limit: Fraction | None) -> None:
    """Adds a packet to what was seen; `step`: the usual time between pictures, if it is one."""
    tally, base = seen.tallies[packet.stream.index], packet.time_base
    if step is not None and _is_hidden(packet):
        return
    at = packet.dts if packet.pts is None else packet.pts
    start = None if at is None or base is None else at * base
    length = packet.duration * base if packet.duration and base else step or Fraction(0)
    if step is not None:
        seen.untimed |= packet.pts is None
        if start is not None:
            seen.steps.add(start)
        seen.begun += limit is None or start is None or start < limit
    tally.corrupt |= packet.is_corrupt
    tally.add(start, length, packet.size)


def _is_hidden(packet: Packet[Stream]) -> bool:
    """Whether its picture is never shown (RFC 6386, 9.1); other codecs pack those with one that is."""
    return packet.stream.codec.canonical_name == "vp8" and not bytes(memoryview(packet)[:1])[0] & 0x10


def _probe(
    container: InputContainer, video: VideoStream, seen: _Seen, size: int, until: float | None
) -> Probe:
    import av

    context, pictures, rate = video.codec_context, seen.tallies[video.index], video.average_rate
    rate = rate or video.guessed_rate
    start = (container.start_time or 0) / av.time_base
    end = max(float(tally.end) for tally in seen.tallies.values()) - start
    promised = None if container.duration is None else container.duration / av.time_base
    if promised is not None and "matroska" in container.format.name:
        promised -= max(0.0, start)  # it says when it ends, not how long it is
    audio = list(_audio(container, seen))
    aspect = video.sample_aspect_ratio
    return Probe(
        width=context.width,
        height=context.height,
        frame_rate=float(rate) if rate else None,
        codec=_CODECS.get(video.codec.canonical_name, video.codec.canonical_name),
        pixel_format=context.pix_fmt,
        frames=pictures.count,
        duration=pictures.seconds,
        bitrate=pictures.size * 8 / pictures.seconds if pictures.seconds > 0 else None,
        size=size,
        audio_codec=audio[0][0].codec if audio else None,
        audio_duration=audio[0][1].seconds if audio else None,
        end=float(pictures.end) - start,
        missing=None if promised is None else max(0.0, promised - end),
        span=None if seen.untimed else seen.steps.span,
        begun=None if until is None else seen.begun,
        variable=seen.steps.vary(video.time_base or Fraction(0)),
        damaged=seen.broken or pictures.corrupt or not seen.look.keyed,
        rotation=seen.look.rotation,
        mirrored=seen.look.mirrored,
        sample_aspect=(aspect.numerator, aspect.denominator) if aspect else (1, 1),
        interlaced=seen.look.interlaced or context.field_order in (2, 3, 4, 5),
        depth=context.format.components[0].bits if context.format and context.format.components else None,
        colour=seen.look.colour,
        mastering=seen.look.mastering,
        light=seen.look.light,
        audio=tuple(track for track, _ in audio),
        subtitles=tuple(_subtitles(container)),
        chapters=min(len(container.chapters()), _MOST_CHAPTERS),
    )


def _audio(container: InputContainer, seen: _Seen) -> Iterator[tuple[AudioTrack, Tally]]:
    """The tracks that have sound in them, and how much."""
    for number, stream in enumerate(islice(container.streams.audio, MOST_TRACKS)):
        tally, context = seen.tallies[stream.index], stream.codec_context
        channels = context.layout.nb_channels
        if tally.count and 0 < channels <= _MOST_CHANNELS:
            rate = context.sample_rate or None
            track = AudioTrack(
                stream.codec.canonical_name, channels, rate, _language(stream.language), number=number
            )
            yield track, tally


def _subtitles(container: InputContainer) -> Iterator[SubtitleTrack]:
    for number, stream in enumerate(islice(container.streams.subtitles, MOST_TRACKS)):
        context = stream.codec_context
        codec = "unknown" if context is None else context.codec.canonical_name
        yield SubtitleTrack(codec, codec in _TEXT, _language(stream.language), number=number)


def _language(text: str | None) -> str | None:
    return text if text and text != "und" and _LANGUAGE.fullmatch(text) else None


def main(name: str, descriptor: str, demuxers: str, what: str) -> None:
    """Measure the file and say what it is."""
    try:
        found: Probe | Heard | Counted
        if what == SOUND:
            found = listen(name, int(descriptor), demuxers)
        elif what.startswith(CHUNK):
            found = counted(name, int(descriptor), demuxers, [int(n) for n in what[len(CHUNK) :].split(",")])
        else:
            found = measure(name, int(descriptor), demuxers, float(what) if what else None)
        # Without spaces, which the end of a line would lose.
        text = json.dumps(asdict(found), separators=(",", ":"))
    except (ProbeError, OSError) as error:
        text = json.dumps({"error": str(error)[: LINE // 2]})
    lines = [text[i : i + LINE] for i in range(0, len(text), LINE)]
    sys.stderr.write("\n" + "\n".join(lines) + "\n")
