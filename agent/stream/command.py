"""The command lines of live streams: an encoder without network, and a copier for SRT. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.ffmpeg.begin import begin
from agent.ffmpeg.picture import picture
from agent.ffmpeg.sound import sound
from agent.ffmpeg.source import PROTOCOLS, opened, scaled, synthetic
from agent.ffmpeg.video import video
from common.settings import EncodeSettings
from common.streams import SrtStream

VBV_SECONDS = 1.0
"""How much of the bitrate a viewer must buffer at most: in no span of time do more bits come than
the bitrate's for that span and one second more (`bitrate` x (t + 1))."""
_SRT_CONNECT_SECONDS = 5


def encoder(
    ffmpeg: str, settings: EncodeSettings, pipe: int, descriptor: int | None = None, version: str = ""
) -> list[str]:
    """The argv of an encode in real time, which writes FLV to the inherited `pipe`.

    `descriptor`: the open file that is streamed, or the complex clip; None: a picture that ffmpeg makes.
    """
    argv = begin(ffmpeg)
    if descriptor is None or settings.source is None:
        argv += [*_paced(synthetic(settings, descriptor, version)), "-map", "0:v:0"]
        argv += [] if descriptor is None else scaled(settings)
    else:
        argv += [*_paced(opened(descriptor, version)), *picture(settings, version)]
    if not settings.every_frame:
        argv += ["-frames:v", str(settings.frames)]
    argv += [*video(settings), *_steady(settings), *sound(with_one_track(settings))]
    argv += [*PROTOCOLS, "-flvflags", "no_duration_filesize", "-flush_packets", "1"]
    return [*argv, "-f", "flv", "-y", f"pipe:{pipe}"]


def with_one_track(settings: EncodeSettings) -> EncodeSettings:
    """The same with the first track of sound only: players of live streams know no other."""
    source = settings.source
    return settings if source is None else replace(settings, source=replace(source, audio=source.audio[:1]))


def _paced(argv: Sequence[str]) -> Iterator[str]:
    """Every input is read at its own speed."""
    for word in argv:
        if word == "-i":
            yield "-re"
        yield word


def _steady(settings: EncodeSettings) -> list[str]:
    """The bitrate is held, and key frames come at equal times, from which players can begin."""
    bitrate = settings.rate.bitrate
    if bitrate is None:
        raise ValueError("a live stream needs a bitrate")
    argv = ["-maxrate", str(bitrate), "-bufsize", str(round(VBV_SECONDS * bitrate))]
    seconds = settings.gop / settings.fps
    argv += ["-force_key_frames", f"expr:gte(t,n_forced*{seconds:g})"]
    if settings.encoder == "libx264":
        argv += ["-sc_threshold", "0", "-flags", "+cgop"]
    elif settings.encoder == "libx265":
        pools = "" if settings.threads is None else f":pools={settings.threads}"
        argv += ["-x265-params", f"scenecut=0:open-gop=0{pools}"]
    return argv


def srt_pusher(ffmpeg: str, stream: SrtStream, address: str, pipe: int) -> list[str]:
    """Copies FLV from the inherited `pipe` to an SRT server at the `address`."""
    # It looks at the beginning for that long, as without sound in it some might come.
    argv = [*begin(ffmpeg), "-analyzeduration", "500000", "-fpsprobesize", "0"]
    argv += ["-protocol_whitelist", "pipe", "-f", "flv", "-i", f"pipe:{pipe}", "-map", "0", "-c", "copy"]
    argv += ["-flush_packets", "1", "-f", "mpegts", "-protocol_whitelist", "srt,udp"]
    return [*argv, *_srt(stream, address)]


def srt_recorder(ffmpeg: str, stream: SrtStream, address: str, file: int, seconds: float) -> list[str]:
    """Copies that many seconds of a live stream from an SRT server to the inherited `file`."""
    argv = [*begin(ffmpeg), "-protocol_whitelist", "srt,udp", "-f", "mpegts"]
    argv += [
        *_srt(stream, address, "-i"),
        "-map",
        "0:v:0",
        "-map",
        "0:a:0?",
        "-c",
        "copy",
        "-t",
        f"{seconds:.3f}",
    ]
    return [*argv, "-protocol_whitelist", "pipe", "-flush_packets", "1", "-f", "matroska", f"pipe:{file}"]


def _srt(stream: SrtStream, address: str, *before: str) -> list[str]:
    """The server and what it is told, as options: in the URL ffmpeg would decode some of it, and some not.

    Other users of this machine can see it, as there is no other way to tell ffmpeg.
    """
    argv = ["-mode", "caller", "-connect_timeout", str(_SRT_CONNECT_SECONDS * 1000)]
    if stream.latency is not None:
        argv += ["-latency", str(stream.latency * 1000)]
    if stream.stream_id is not None:
        argv += ["-srt_streamid", stream.stream_id]
    if stream.passphrase is not None:
        argv += ["-passphrase", stream.passphrase]
    host = f"[{address}]" if ":" in address else address
    return [*argv, *before, f"srt://{host}:{stream.origin.port}"]
