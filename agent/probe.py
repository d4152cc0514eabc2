"""What an output file really is, and whether that is what was asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.stream import Disposition, Stream

from agent.ffmpeg.command import DEMUXERS, duration, frame_rate
from agent.inputs.media import reopen
from common.settings import EncodeSettings

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


def probe(path: Path) -> Probe:
    """Reads the whole file once, without decoding it: one packet of our containers is one picture.

    ProbeError if it is no video; OSError if it cannot be read.
    """
    return _measure(str(path), path.name, path.stat().st_size, {})


def probe_input(descriptor: int) -> Probe:
    """The same of an input, which may be anything: it is read by the demuxers of ours only."""
    own = reopen(descriptor)
    try:
        options = {"fd": str(own), "protocol_whitelist": "fd", "format_whitelist": DEMUXERS}
        return _measure("fd:", "the input", os.fstat(own).st_size, options)
    finally:
        os.close(own)


def _measure(url: str, name: str, size: int, options: dict[str, str]) -> Probe:
    try:
        with av.open(url, options=options) as container:
            pictures_of = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
            if not pictures_of:
                raise ProbeError(f"{name} has no video stream")
            video = pictures_of[0]
            audio = container.streams.audio[0] if container.streams.audio else None
            rate = video.average_rate or video.guessed_rate
            tallies = {video.index: _Tally(), **({audio.index: _Tally()} if audio else {})}
            for packet in container.demux([video, audio] if audio else [video]):
                step = 1 / rate if rate and packet.stream.index == video.index else None
                tallies[packet.stream.index].add(packet, step)
            pictures = tallies[video.index]
            context = video.codec_context
            return Probe(
                width=context.width,
                height=context.height,
                frame_rate=float(rate) if rate else None,
                codec=_CODECS.get(video.codec.canonical_name, video.codec.canonical_name),
                pixel_format=context.pix_fmt,
                frames=pictures.count,
                duration=pictures.seconds,
                end=float(pictures.end) - (container.start_time or 0) / av.time_base,
                bitrate=pictures.size * 8 / pictures.seconds if pictures.seconds > 0 else None,
                size=size,
                audio_codec=audio.codec.canonical_name if audio else None,
                audio_duration=tallies[audio.index].seconds if audio else None,
            )
    except av.FFmpegError as error:
        raise ProbeError(f"{name} cannot be read as video: {error.strerror}") from error


def verify(probed: Probe, settings: EncodeSettings, fewer: int = 0) -> str | None:
    """A sentence that says in what the output differs from what was asked; None if it does not.

    The rate may differ by 0.1 % (containers round it), a length by one frame or 50 ms,
    whichever is more; everything else must be equal. `fewer`: frames that may be missing at
    the end of an input, whose sound may also end before its picture.
    """
    asked_rate = float(frame_rate(settings.fps))
    length = duration(settings)
    slack = max((1 + fewer) / asked_rate, 0.05)
    missing = settings.frames - probed.frames
    wrong = [
        f"{name} is {is_} instead of {asked}"
        for name, is_, asked in (
            ("the size", f"{probed.width}x{probed.height}", f"{settings.width}x{settings.height}"),
            ("the codec", probed.codec, settings.codec),
            ("the pixel format", probed.pixel_format or "unknown", settings.pixel_format),
            (
                "the number of frames",
                probed.frames,
                probed.frames if 0 <= missing <= fewer else settings.frames,
            ),
            ("the audio codec", probed.audio_codec or "none", settings.audio),
        )
        if is_ != asked
    ]
    if probed.frame_rate is None or abs(probed.frame_rate - asked_rate) > asked_rate / 1000:
        wrong.append(f"the frame rate is {_round(probed.frame_rate)} instead of {_round(asked_rate)}")
    if abs(probed.duration - length) > slack:
        wrong.append(f"the duration is {_round(probed.duration)} s instead of {_round(length)} s")
    silence = length - (probed.audio_duration or length)
    if silence < -slack or (silence > slack and not fewer):
        wrong.append(f"the sound lasts {_round(probed.audio_duration)} s instead of {_round(length)} s")
    return f"the output is not what was asked for: {'; '.join(wrong)}" if wrong else None


def _round(value: float | None) -> str:
    return "unknown" if value is None else f"{round(value, 3):g}"
