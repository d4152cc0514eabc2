"""Reads all packets of an input's picture once, in a process of its own, and says where it may be divided.

    python -I -S -c ... N INPUT DEMUXERS OUTPUT ASKED

OUTPUT is an open file: a Divisible as JSON, or {"error": ...}.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from agent.chunks.bits import looker
from agent.chunks.cuts import Divider, Reach, output_of
from agent.chunks.pictures import Gathered, UndividedError, in_order
from agent.chunks.times import MICROSECOND, from_start
from agent.probed import ProbeError
from agent.prober import opened, video_of
from common.model import Divisible

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

CARRIED = (
    *("h264", "hevc", "vp8", "vp9", "av1", "mpeg2video", "mpeg4", "mjpeg"),
    *("ffv1", "huffyuv", "ffvhuff", "utvideo"),
)
"""Codecs whose packets and times a NUT file gives back as they were."""
_FIELDS = ("h264", "mpeg2video")
"""Codecs whose interlaced pictures are whole frames that say of themselves what they are."""
_JUMPING = ("mpegts", "mpeg")
"""Formats whose times may jump, which ffmpeg then mends, across all streams of the file."""
_OF_THOSE_READ = "mpegts"
"""The format of which ffmpeg counts from the first of the tracks that it reads, and not from that of all."""
_CLOSE = Fraction(1, 1000)
"""Seconds: containers round."""
_UNTIMED = ("mpeg", "avi", "yuv4mpegpipe")
"""Formats that do not say a time for each picture: what stands for it depends on where reading begins."""
_MADE_UP = (
    *("major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id"),
    *("encoder", "duration", "timecode"),
)
"""What muxers write of themselves, and what is no longer true of a picture that was encoded again."""
_MOST_JUMP = 5
"""Seconds from packet to packet. ffmpeg mends 10."""


def divide(container: InputContainer, video: VideoStream, asked: dict[str, Any]) -> Divisible:
    """What there is to say of the input's picture, however it is."""
    try:
        return _divided(container, video, asked)
    except UndividedError as error:
        return Divisible(f"The input is encoded whole: {error}.")


def _divided(container: InputContainer, video: VideoStream, asked: dict[str, Any]) -> Divisible:
    base = video.time_base
    codec, formats = video.codec.canonical_name, container.format.name.split(",")
    if codec not in CARRIED:
        raise UndividedError(f"its codec {codec} is not one of those that can be divided exactly")
    if base is None or any(name in formats for name in _UNTIMED):
        raise UndividedError(f"its format {container.format.name} does not say a time for each picture")
    if asked["interlaced"] and codec not in _FIELDS:
        raise UndividedError("it is interlaced, in a way that is not read exactly piece by piece")
    if _OF_THOSE_READ in formats:
        _check_start(container, video, asked)
    gathered = _gather(container, video, codec, any(name in formats for name in _JUMPING))
    pictures = in_order(gathered)
    rate = None if asked["rate"] is None else Fraction(*asked["rate"])
    frames: int | None = asked["frames"]
    if rate is None and asked["duration"] is not None:
        until = Fraction(asked["duration"])
        frames = sum(1 for tick in pictures.ticks if tick * base < until)
        if not frames:
            raise UndividedError("nothing of it is wanted")
    if asked["interlaced"] and gathered.cut_off:
        raise UndividedError("it is interlaced, and has an edit list")
    output = output_of(pictures, base, rate, frames)
    cuts = Divider(pictures, base, output, Reach(asked["lead"], asked["tail"])).cuts()
    tick = (output.tick.numerator, output.tick.denominator)
    others = _says_something(container.metadata) or _says_something(video.metadata)
    return Divisible(None, output.frames, output.end, tick, cuts, others=others)


def _check_start(container: InputContainer, video: VideoStream, asked: Mapping[str, Any]) -> None:
    """Here times count from where the file starts. What is beside the picture must do so, too."""
    beside = [container.streams.audio[number] for number in asked["audio"]]
    beside += [container.streams.subtitles[number] for number in asked["subtitles"]]
    if not beside:
        return
    starts = [
        stream.start_time * stream.time_base
        for stream in (video, *beside)
        if stream.start_time is not None and stream.time_base is not None
    ]
    if starts and min(starts) > (container.start_time or 0) * MICROSECOND + _CLOSE:
        raise UndividedError("its times count from a track that is left out")


def _says_something(metadata: Mapping[str, str]) -> bool:
    """Whether there is anything that somebody wrote: a title, a language. It goes with the sound."""
    return any(key.casefold() not in _MADE_UP and value not in ("", "und") for key, value in metadata.items())


def _gather(container: InputContainer, video: VideoStream, codec: str, jumping: bool) -> Gathered:
    import av

    gathered, base = Gathered(), video.time_base or Fraction(1)
    offset = from_start(container.start_time, base)
    look = looker(codec, bytes(video.codec_context.extradata or b""))
    last: dict[int, Fraction] = {}
    try:
        for packet in container.demux() if jumping else container.demux(video):
            if not packet.size:
                continue
            if jumping:
                _check_jump(packet, last)
            if packet.stream.index != video.index:
                continue
            _check(packet)
            assert packet.pts is not None  # noqa: S101 - it was checked
            gathered.add(
                packet.pts + offset,
                packet.dts,
                packet.duration or 0,
                packet.size,
                look(bytes(packet), packet.is_keyframe),
                hidden=packet.is_discard,
            )
    except av.FFmpegError as error:
        raise UndividedError("it is damaged: not all of it can be read") from error
    return gathered


def _check(packet: Packet[Any]) -> None:
    if packet.pts is None:
        raise UndividedError("its pictures do not all say when they are shown")
    if packet.is_corrupt:
        raise UndividedError("it is damaged")
    if packet.has_sidedata("encryption_info"):
        raise UndividedError("it is encrypted")
    if packet.has_sidedata("new_extradata") or packet.has_sidedata("param_change"):
        raise UndividedError("its size or format changes on the way")


def _check_jump(packet: Packet[Any], last: dict[int, Fraction]) -> None:
    if packet.dts is None or packet.time_base is None or packet.stream.type not in ("video", "audio"):
        return
    at = packet.dts * packet.time_base
    before = last.get(packet.stream.index)
    if before is not None and not before <= at <= before + _MOST_JUMP:
        raise UndividedError("its times jump")
    last[packet.stream.index] = at


def main(source: str, demuxers: str, output: str, asked: str) -> None:
    """Read the file and say where it may be divided."""
    with os.fdopen(int(output), "w", encoding="ascii") as file:
        try:
            with opened("the input", int(source), demuxers) as container:
                found: dict[str, Any] = asdict(
                    divide(container, video_of("the input", container), json.loads(asked))
                )
        except (ProbeError, OSError) as error:
            found = {"error": str(error)[:400]}
        json.dump(found, file, separators=(",", ":"))
