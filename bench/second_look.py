"""Measures encodes without our agent's code: what `bench/truth.py` compares its reports with.

Of the process: GNU time, around the very ffmpeg that the agent ran. Of the file: an ffmpeg that
decodes it and lists its packets. Of the quality: `bench/second_quality.py`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

MARK = "ffrtmp-truth"
"""Begins the lines that the wrapper leaves in the job's log."""
WRAPPER = """\
#!/bin/sh
# Only encodes of the whole are timed: questions, trials, samples and comparisons are passed on.
part=whole
case " $* " in
*output.times*|*" file:samples.mkv "*) exec {real} "$@" ;;
*" -pass 1 "*|*[:\\ ]pass=1[:\\ ]*) part=first ;;
esac
case " $* " in
*" -progress "*) exec {perf}/usr/bin/time --format="{mark} $part %e %U %S %M" {real} "$@" ;;
*) exec {real} "$@" ;;
esac
"""
PERF = "/usr/bin/perf stat --all-cpus --event power/energy-pkg/ --field-separator , --log-fd 2 -- "
_TIMED = re.compile(rf"{MARK} (first|whole) ([\d.]+) ([\d.]+) ([\d.]+) (\d+)$")
_JOULES = re.compile(r"([\d.]+),Joules,power/energy-pkg/")
_PACKET = re.compile(r"^0, +-?\d+, +(-?\d+), +(\d+), +(\d+), ", re.MULTILINE)
_TIME_BASE = re.compile(r"^#tb 0: (\d+/\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Timed:
    """What GNU time (and perf) saw of one encode."""

    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    joules: float | None

    def after(self, first: Timed) -> Timed:
        """This second pass and its first one, together."""
        known = None if self.joules is None or first.joules is None else self.joules + first.joules
        return Timed(
            self.wall_seconds + first.wall_seconds,
            self.cpu_seconds + first.cpu_seconds,
            max(self.peak_memory_bytes, first.peak_memory_bytes),
            known,
        )


@dataclass(frozen=True, slots=True)
class Looked:
    """What the file is."""

    frames: int
    duration: float
    bitrate: float
    size: int
    times: tuple[float, ...] = ()
    """When each picture is shown: seconds from the first one."""


def can_read_energy() -> bool:
    """Whether perf reads the processor's counter of joules here."""
    try:
        done = subprocess.run([*PERF.split(), "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False
    return _JOULES.search(done.stderr) is not None


def write_wrapper(path: Path, real: Path, *, energy: bool) -> Path:
    """An ffmpeg that times itself; its program must lie where the sandbox shows it."""
    path.write_text(WRAPPER.format(mark=MARK, real=real, perf=PERF if energy else ""))
    path.chmod(0o755)
    return path


def timed(log: Sequence[str]) -> list[Timed]:
    """The measurements in a job's log, one for each encode: of two passes they are the sum."""
    found = [match for line in log if (match := _TIMED.search(line))]
    joules = [float(match[1]) for line in log if (match := _JOULES.search(line))]
    known: list[float | None] = [*joules] if len(joules) == len(found) else [None] * len(found)
    encodes: list[Timed] = []
    first: Timed | None = None
    for m, energy in zip(found, known, strict=True):
        one = Timed(float(m[2]), float(m[3]) + float(m[4]), int(m[5]) * 1024, energy)
        if m[1] == "first":
            first = one
        else:
            encodes.append(one if first is None else one.after(first))
            first = None
    return encodes


def look(ffmpeg: Path, file: Path) -> Looked:
    """Decodes the file and lists its packets."""
    frames = _PACKET.findall(run(ffmpeg, "-i", file, "-map", "0:v:0", *_EVERY, "-"))
    listed = run(ffmpeg, "-i", file, "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "-")
    time_base = _TIME_BASE.search(listed)
    if time_base is None:
        raise ValueError(f"{file} has no picture: {listed[:200]}")
    packets = sorted((int(start), int(length), int(size)) for start, length, size in _PACKET.findall(listed))
    first, last = packets[0][0], packets[-1][0] + packets[-1][1]
    times = tuple(float((start - first) * Fraction(time_base[1])) for start, _, _ in packets)
    duration = float((last - first) * Fraction(time_base[1]))
    bits = 8 * sum(size for _, _, size in packets)
    return Looked(len(frames), duration, bits / duration, file.stat().st_size, times)


def make_clip(ffmpeg: Path, path: Path, seconds: float) -> Path:
    """A clip without loss, with detail, motion and a sound: what is encoded, and compared with."""
    picture = f"testsrc2=size=640x360:rate=30:duration={seconds},noise=alls=3:allf=t"
    sound = f"sine=frequency=440:sample_rate=48000:duration={seconds}"
    run(ffmpeg, "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *LOSSLESS, path)
    return path


def make_variable(ffmpeg: Path, path: Path, clip: Path) -> Path:
    """Some of the frames of `clip`, each at its time: gaps of one frame now and then, and of ten."""
    some = "select='not(eq(mod(n,7),3))*not(between(mod(n,50),20,29))'"
    run(ffmpeg, "-i", clip, "-vf", some, "-fps_mode", "passthrough", *LOSSLESS, path)
    return path


def make_complex(ffmpeg: Path, path: Path, raw: Path, size: str, frames: int) -> Path:
    """What `content: complex` shows: the node's raw clip, again and again, in the size asked for."""
    source = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", "1920x1080", "-framerate", "30"]
    scale = f"scale={size}:flags=bicubic+bitexact+accurate_rnd+full_chroma_int"
    run(
        ffmpeg,
        *source,
        "-stream_loop",
        "-1",
        "-i",
        raw,
        "-vf",
        scale,
        "-frames:v",
        str(frames),
        *LOSSLESS,
        path,
    )
    return path


def run(ffmpeg: Path, *arguments: str | Path) -> str:
    """What this ffmpeg prints."""
    command = [str(ffmpeg), "-nostdin", "-v", "error", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


_EVERY = ("-fps_mode", "passthrough", "-f", "framecrc")
LOSSLESS = (
    *("-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
    *("-c:a", "pcm_s16le"),
)
