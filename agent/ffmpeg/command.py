"""From an encode's settings to ffmpeg's command line. Pure: starts nothing, reads nothing."""

from __future__ import annotations

import re
from fractions import Fraction

from common.settings import EncodeSettings

AUDIO_BITRATE = "128k"
AUDIO_RATE = 48_000
"""Hz. The only rate that Opus has, and a usual one for AAC."""

_AUDIO_ENCODERS = {"aac": "aac", "opus": "libopus"}
_PROTOCOLS = ["-protocol_whitelist", "file,pipe"]

DEMUXERS = "mov,matroska,mpegts,mpeg,avi,flv,ogg,asf,ivf,mxf,nut,yuv4mpegpipe"
"""What reads inputs: formats that carry pictures with their times, and name no other files."""
MAX_PIXELS = 8192 * 8192
"""Of a picture of an input: a small file can say that it is huge, and memory is taken for that."""
_KNOWS_FD = 6
"""The first version of ffmpeg with the protocol `fd`."""
_VERSION = re.compile(r"n?(\d{1,3})\.")


def frame_rate(fps: float) -> Fraction:
    """The exact rate that is meant by `fps`, in frames per second.

    29.97, 23.976 and 59.94 are how people write NTSC's N x 1000/1001, so a number within
    1e-5 of one of those is that one; anything else is taken at its word, to 1/1000.
    """
    for whole in (24, 30, 48, 60, 120):
        ntsc = Fraction(whole * 1000, 1001)
        if abs(fps - ntsc) / ntsc < 1e-5:
            return ntsc
    return Fraction(fps).limit_denominator(1000)


def duration(settings: EncodeSettings) -> float:
    """Seconds that the output's frames last at their exact rate."""
    return float(settings.frames / frame_rate(settings.fps))


def build(
    ffmpeg: str, settings: EncodeSettings, output: str, descriptor: int | None = None, version: str = ""
) -> list[str]:
    """The argv of the encode; it writes `output` (a name in ffmpeg's working directory).

    Progress goes to stdout, twice a second; the log goes to stderr, each line with its
    level. `descriptor`: the open file that is encoded, which ffmpeg inherits; `version`: as
    ffmpeg names itself. Without an input the picture is `testsrc2` and the sound a sine
    tone: both cost next to nothing beside the encoder. ValueError if `output` is not one of
    our own `.part` names, as what is there is overwritten.
    """
    if not output.endswith(".part") or "/" in output:
        raise ValueError(f"{output!r} must be a plain name that ends in .part: it is overwritten")
    rate = frame_rate(settings.fps)
    argv = [ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"]
    argv += ["-progress", "pipe:1", "-stats_period", "0.5"]
    if descriptor is None:
        argv += _synthetic(settings)
    else:
        argv += [*_input(descriptor, version), "-map", "0:V:0"]  # V: no cover picture
        # start_time: the picture begins with the file, as the sound does, also where its first one is late.
        argv += ["-vf", f"fps={rate}:start_time=0,scale={settings.width}:{settings.height}"]
        argv += ["-t", f"{duration(settings):.6f}"]
    argv += ["-frames:v", str(settings.frames), *_video(settings)]
    if settings.audio != "none":
        argv += ["-map", "1:a:0" if descriptor is None else "0:a:0", "-c:a", _AUDIO_ENCODERS[settings.audio]]
        argv += ["-b:a", AUDIO_BITRATE, "-ar", str(AUDIO_RATE), "-ac", "2"]
    if settings.container == "mp4":
        argv += ["-movflags", "+faststart"]
    return [*argv, *_PROTOCOLS, "-f", settings.container, "-y", f"file:{output}"]


def _synthetic(settings: EncodeSettings) -> list[str]:
    rate = frame_rate(settings.fps)
    argv = _source(f"testsrc2=size={settings.width}x{settings.height}:rate={rate}")
    if settings.audio != "none":
        # The tone gets the picture's length by itself: -shortest would cut at a packet's edge.
        argv += _source(f"sine=frequency=440:sample_rate={AUDIO_RATE}:duration={duration(settings):.6f}")
    return [*argv, "-map", "0:v:0"]


def _input(descriptor: int, version: str) -> list[str]:
    """Reads one open file. With `fd` there is no way to open another: no protocol takes a path."""
    known = _VERSION.match(version)
    if known is not None and int(known[1]) < _KNOWS_FD:
        way = ["-protocol_whitelist", "file", "-i", f"file:/proc/self/fd/{descriptor}"]
    else:
        way = ["-protocol_whitelist", "fd", "-fd", str(descriptor), "-i", "fd:"]
    return ["-format_whitelist", DEMUXERS, "-max_pixels", str(MAX_PIXELS), "-dn", "-sn", *way]


def _source(graph: str) -> list[str]:
    return [*_PROTOCOLS, "-f", "lavfi", "-i", graph]


def _video(settings: EncodeSettings) -> list[str]:
    argv = ["-c:v", settings.encoder]
    if settings.encoder == "libvpx-vp9":
        argv += ["-deadline", "realtime", "-cpu-used", settings.preset, "-row-mt", "1"]
    else:
        argv += ["-preset", settings.preset]
    argv += [*_rate_control(settings), "-g", str(settings.gop), "-pix_fmt", settings.pixel_format]
    if settings.codec == "h265" and settings.container == "mp4":
        argv += ["-tag:v", "hvc1"]  # ffmpeg's own choice, hev1, does not play on Apple's devices
    return argv + _threads(settings)


def _rate_control(settings: EncodeSettings) -> list[str]:
    """A bitrate, or a quality. VP9 and AV1 know whole numbers for `crf`: it is rounded."""
    x26x = settings.encoder in ("libx264", "libx265")
    if settings.bitrate is None:
        crf = settings.crf or 0.0
        if settings.encoder == "libvpx-vp9":
            return ["-b:v", "0", "-crf", str(round(crf))]  # without the 0 it would cap the bitrate
        return ["-crf", f"{crf:g}" if x26x else str(round(crf))]
    argv = ["-b:v", str(settings.bitrate)]
    if x26x:
        argv += ["-maxrate", str(settings.bitrate * 3 // 2), "-bufsize", str(settings.bitrate * 2)]
    return argv


def _threads(settings: EncodeSettings) -> list[str]:
    if settings.threads is None:
        return []
    count = str(settings.threads)
    # These two keep pools of their own, which -threads does not bound.
    if settings.encoder == "libx265":
        return ["-x265-params", f"pools={count}"]  # -threads would set its frame threads, 16 at most
    if settings.encoder == "libsvtav1":
        return ["-svtav1-params", f"lp={count}"]
    return ["-threads", count]
