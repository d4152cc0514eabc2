"""What is encoded, on the command line: an open file, or a picture that ffmpeg makes. Pure."""

from __future__ import annotations

import re

from agent.ffmpeg.content import CLIP_HEIGHT, CLIP_WIDTH, EXACT, graph
from agent.ffmpeg.sound import AUDIO_RATE
from agent.ffmpeg.timing import duration, frame_rate
from common.settings import EncodeSettings

DEMUXERS = "mov,matroska,mpegts,mpeg,avi,flv,ogg,asf,ivf,mxf,nut,yuv4mpegpipe"
"""What reads inputs: formats that carry pictures with their times, and name no other files."""
MAX_PIXELS = 8192 * 8192
"""Of a picture of an input: a small file can say that it is huge, and memory is taken for that."""
PROTOCOLS = ["-protocol_whitelist", "file,pipe"]
_DAMAGED = ["-max_error_rate", "1"]
_KNOWS_FD = 6
"""The first version of ffmpeg with the protocol `fd`."""
_VERSION = re.compile(r"n?(\d{1,3})\.")


def synthetic(settings: EncodeSettings, clip: int | None = None, version: str = "") -> list[str]:
    """A picture and a tone that ffmpeg makes: both cost less than the encoder.

    `clip`: the open file with the complex clip, where `settings.content` is that.
    """
    if clip is None:
        argv = _graph(graph(settings))
    else:
        size = f"{CLIP_WIDTH}x{CLIP_HEIGHT}"
        argv = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", size]
        argv += [
            "-framerate",
            str(frame_rate(settings.fps)),
            "-stream_loop",
            "-1",
            *_descriptor(clip, version),
        ]
    if settings.audio != "none":
        # The tone gets the picture's length by itself: -shortest would cut at a packet's edge.
        argv += _graph(f"sine=frequency=440:sample_rate={AUDIO_RATE}:duration={duration(settings):.6f}")
    return argv


def scaled(settings: EncodeSettings) -> list[str]:
    """Gives the complex clip the size that is wanted; nothing if it has it."""
    filters = to_size(settings)
    return ["-vf", ",".join(filters)] if filters else []


def to_size(settings: EncodeSettings) -> list[str]:
    """The filters that do so."""
    if (settings.width, settings.height) == (CLIP_WIDTH, CLIP_HEIGHT):
        return []
    return [f"scale={settings.width}:{settings.height}:flags=bicubic+{EXACT}", "setsar=1"]


def opened(descriptor: int, version: str) -> list[str]:
    """Reads one open file. With `fd` there is no way to open another: no protocol takes a path.

    What can be decoded is, however little it is of a damaged file: who counts the frames judges that.
    """
    way = _descriptor(descriptor, version)
    return ["-format_whitelist", DEMUXERS, "-max_pixels", str(MAX_PIXELS), "-dn", *_DAMAGED, *way]


def _descriptor(descriptor: int, version: str) -> list[str]:
    known = _VERSION.match(version)
    if known is not None and int(known[1]) < _KNOWS_FD:
        return ["-protocol_whitelist", "file", "-i", f"file:/proc/self/fd/{descriptor}"]
    return ["-protocol_whitelist", "fd", "-fd", str(descriptor), "-i", "fd:"]


def _graph(graph: str) -> list[str]:
    return [*PROTOCOLS, "-f", "lavfi", "-i", graph]
