"""Clips of each kind of stream that is divided, and what ffmpeg decodes of a file."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tests.agent.media.clips import Clips, picture, tone

_X264 = ("-c:v", "libx264", "-preset", "veryfast")
_X265 = ("-c:v", "libx265", "-preset", "veryfast", "-x265-params")
_UNEVEN = ("-vf", "settb=1/1000,setpts='floor(N*37+11*sin(N*2)+400*gt(N,42))'", "-fps_mode", "passthrough")
_QUIET = "log-level=error:"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind."""

    file: str
    options: tuple[str, ...]
    seconds: float = 4
    sound: bool = True
    least: int = 3
    """Cuts that are found in it."""
    copied: tuple[str, ...] = ()
    """Where a copy of that is what is meant: the options of the copy, into `file`."""


KINDS = {
    "constant rate": Kind("a.mp4", (*_X264, "-g", "25")),
    "variable rate": Kind("a.mkv", (*_UNEVEN, "-enc_time_base", "1/1000", *_X264, "-g", "30")),
    "open groups": Kind("a.mp4", (*_X264, "-x264-params", "open-gop=1:keyint=25:bframes=4:b-adapt=0")),
    "open groups of x265": Kind("a.mkv", (*_X265, _QUIET + "open-gop=1:keyint=25:bframes=4")),
    "b-pyramid": Kind("a.mkv", (*_X264, "-g", "25", "-bf", "8", "-x264-params", "b-adapt=0")),
    "10 bits": Kind("a.mp4", (*_X265, _QUIET + "keyint=25", "-pix_fmt", "yuv420p10le")),
    "a single key frame": Kind("a.mp4", (*_X264, "-x264-params", "keyint=infinite:scenecut=0"), seconds=16),
    "long groups": Kind("a.mkv", (*_X264, "-g", "300", "-bf", "3"), seconds=16),
    "vp8": Kind("a.webm", ("-c:v", "libvpx", "-auto-alt-ref", "1", "-g", "25"), sound=False),
    "vp9 with hidden frames": Kind(
        "a.webm", ("-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "8", "-auto-alt-ref", "1",
                   "-lag-in-frames", "16", "-g", "25"), sound=False
    ),
    "av1": Kind("a.mp4", ("-c:v", "libsvtav1", "-preset", "12", "-g", "25", "-svtav1-params", "lp=1")),
    "mpeg-2 that starts late": Kind(
        "a.ts", ("-c:v", "mpeg2video", "-g", "25", "-bf", "2", "-output_ts_offset", "5000")
    ),
    "mpeg-2 whose clock wraps around": Kind(
        "a.ts", ("-c:v", "mpeg2video", "-g", "25", "-bf", "2", "-output_ts_offset", "95441")
    ),
    "h264 in a transport stream": Kind("a.ts", (*_X264, "-g", "25", "-bf", "3")),
    "an edit list": Kind("a.mp4", (*_X264, "-g", "25"), copied=("-ss", "0.7")),
    "a start offset": Kind("a.mkv", (*_X264, "-g", "25", "-output_ts_offset", "3.21")),
    "interlaced": Kind("a.ts", (*_X264, "-g", "25", "-flags", "+ilme+ildct", "-vf", "interlace"), seconds=8),
    "mpeg-4": Kind("a.mp4", ("-c:v", "mpeg4", "-g", "25", "-bf", "2")),
    "mjpeg": Kind("a.mkv", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"), sound=False),
    "ffv1": Kind("a.mkv", ("-c:v", "ffv1", "-g", "25"), sound=False),
    "huffyuv": Kind("a.mkv", ("-c:v", "ffvhuff",), sound=False),
}  # fmt: skip


def make(clips: Clips, kind: Kind) -> Path:
    """A clip of that kind."""
    sound = tone(seconds=kind.seconds) if kind.sound else []
    made = clips.make(
        f"long-{kind.file}" if kind.copied else kind.file,
        *picture("96x64", "25", kind.seconds),
        *sound,
        *kind.options,
    )
    return clips.make(kind.file, *kind.copied, "-i", made.name, "-c", "copy") if kind.copied else made


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded frame."""

    time: Fraction
    """Seconds."""
    hash: str


def decoded(
    ffmpeg: Path, path: str, *, as_it_is: bool = False, descriptor: int | None = None
) -> list[Decoded]:
    """All frames of the picture; `as_it_is`: with the file's own times, else from its start."""
    before = ["-copyts"] if as_it_is else []
    others = [] if as_it_is else ["-map", "0:a?", "-c:a", "copy"]
    command = [str(ffmpeg), "-v", "error", "-threads", "1", *before, "-i", path, "-map", "0:V:0", *others]
    command += ["-fps_mode", "passthrough", "-enc_time_base:v", "demux", "-f", "framemd5", "-"]
    said = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60,
        pass_fds=() if descriptor is None else (descriptor,),
    ).stdout  # fmt: skip
    base = re.search(r"#tb 0: (\d+)/(\d+)", said)
    assert base is not None
    tick = Fraction(int(base[1]), int(base[2]))
    rows = [line.split(",") for line in said.splitlines() if line.startswith("0,")]
    return [Decoded(int(row[2]) * tick, row[5].strip()) for row in rows]
