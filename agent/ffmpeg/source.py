"""What is encoded, on the command line: an open file, or a picture that ffmpeg makes. Pure."""

from __future__ import annotations

import re

from agent.ffmpeg.sound import AUDIO_RATE
from agent.ffmpeg.timing import duration, frame_rate
from common.settings import EncodeSettings

DEMUXERS = "mov,matroska,mpegts,mpeg,avi,flv,ogg,asf,ivf,mxf,nut,yuv4mpegpipe"
"""What reads inputs: formats that carry pictures with their times, and name no other files."""
MAX_PIXELS = 8192 * 8192
"""Of a picture of an input: a small file can say that it is huge, and memory is taken for that."""
PROTOCOLS = ["-protocol_whitelist", "file,pipe"]
_KNOWS_FD = 6
"""The first version of ffmpeg with the protocol `fd`."""
_VERSION = re.compile(r"n?(\d{1,3})\.")


def synthetic(settings: EncodeSettings) -> list[str]:
    """A picture and a tone that ffmpeg makes: both cost next to nothing beside the encoder."""
    rate = frame_rate(settings.fps)
    argv = _graph(f"testsrc2=size={settings.width}x{settings.height}:rate={rate}")
    if settings.audio != "none":
        # The tone gets the picture's length by itself: -shortest would cut at a packet's edge.
        argv += _graph(f"sine=frequency=440:sample_rate={AUDIO_RATE}:duration={duration(settings):.6f}")
    return argv


def opened(descriptor: int, version: str) -> list[str]:
    """Reads one open file. With `fd` there is no way to open another: no protocol takes a path."""
    known = _VERSION.match(version)
    if known is not None and int(known[1]) < _KNOWS_FD:
        way = ["-protocol_whitelist", "file", "-i", f"file:/proc/self/fd/{descriptor}"]
    else:
        way = ["-protocol_whitelist", "fd", "-fd", str(descriptor), "-i", "fd:"]
    return ["-format_whitelist", DEMUXERS, "-max_pixels", str(MAX_PIXELS), "-dn", "-sn", *way]


def _graph(graph: str) -> list[str]:
    return [*PROTOCOLS, "-f", "lavfi", "-i", graph]
