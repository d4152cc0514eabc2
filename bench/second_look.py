"""Measures encodes without our agent's code: what `bench/truth.py` compares its reports with.

Of the process: GNU time, around the very ffmpeg that the agent ran. Of the file: an ffmpeg that
decodes it and lists its packets. Of the quality: an ffmpeg with a command line of its own.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import fmean

MARK = "ffrtmp-truth"
"""Begins the lines that the wrapper leaves in the job's log."""
WRAPPER = """\
#!/bin/sh
# Only encodes are timed; the agent's questions and trials are passed on.
case " $* " in
*" -progress "*) exec {perf}/usr/bin/time --format="{mark} %e %U %S %M" {real} "$@" ;;
*) exec {real} "$@" ;;
esac
"""
PERF = "/usr/bin/perf stat --all-cpus --event power/energy-pkg/ --field-separator , --log-fd 2 -- "
_TIMED = re.compile(rf"{MARK} ([\d.]+) ([\d.]+) ([\d.]+) (\d+)$")
_JOULES = re.compile(r"([\d.]+),Joules,power/energy-pkg/")
_PACKET = re.compile(r"^0, +-?\d+, +(-?\d+), +(\d+), +(\d+), ", re.MULTILINE)
_TIME_BASE = re.compile(r"^#tb 0: (\d+/\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Timed:
    """What GNU time (and perf) saw of one ffmpeg."""

    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    joules: float | None


@dataclass(frozen=True, slots=True)
class Looked:
    """What the file is."""

    frames: int
    duration: float
    bitrate: float
    size: int


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
    """The measurements in a job's log, one for each encode."""
    found = [match for line in log if (match := _TIMED.search(line))]
    joules = [float(match[1]) for line in log if (match := _JOULES.search(line))]
    known: list[float | None] = [*joules] if len(joules) == len(found) else [None] * len(found)
    return [
        Timed(float(m[1]), float(m[2]) + float(m[3]), int(m[4]) * 1024, energy)
        for m, energy in zip(found, known, strict=True)
    ]


def look(ffmpeg: Path, file: Path) -> Looked:
    """Decodes the file and lists its packets."""
    frames = _PACKET.findall(_ffmpeg(ffmpeg, "-i", file, "-map", "0:v:0", "-f", "framecrc", "-"))
    listed = _ffmpeg(ffmpeg, "-i", file, "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "-")
    time_base = _TIME_BASE.search(listed)
    if time_base is None:
        raise ValueError(f"{file} has no picture: {listed[:200]}")
    packets = [(int(start), int(length), int(size)) for start, length, size in _PACKET.findall(listed)]
    first, last = min(start for start, _, _ in packets), max(start + length for start, length, _ in packets)
    duration = float((last - first) * Fraction(time_base[1]))
    bits = 8 * sum(size for _, _, size in packets)
    return Looked(len(frames), duration, bits / duration, file.stat().st_size)


def quality(ffmpeg: Path, file: Path, reference: Path) -> dict[str, float]:
    """The means over all frames of VMAF, PSNR and SSIM, of files of one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graph = (
            "[0:v]setpts=PTS-STARTPTS,split=3[a][b][c];[1:v]setpts=PTS-STARTPTS,split=3[x][y][z];"
            f"[a][x]libvmaf=log_fmt=json:log_path={folder}/vmaf[v];"
            f"[b][y]psnr=stats_file={folder}/psnr[p];[c][z]ssim=stats_file={folder}/ssim[s]"
        )
        outputs = [word for label in "vps" for word in ("-map", f"[{label}]", "-f", "null", "-")]
        _ffmpeg(ffmpeg, "-i", file, "-i", reference, "-lavfi", graph, *outputs)
        vmaf = json.loads((folder / "vmaf").read_text())["pooled_metrics"]["vmaf"]["mean"]
        psnr = re.findall(r"psnr_avg:(inf|[\d.]+)", (folder / "psnr").read_text())
        ssim = re.findall(r"All:([\d.]+)", (folder / "ssim").read_text())
    # Of equal pictures the PSNR is infinite.
    means = {
        "vmaf_mean": float(vmaf),
        "psnr_mean": fmean(map(float, psnr)),
        "ssim_mean": fmean(map(float, ssim)),
    }
    return {name: mean for name, mean in means.items() if math.isfinite(mean)}


def make_clip(ffmpeg: Path, path: Path, seconds: float) -> Path:
    """A clip without loss, with detail, motion and a sound: what is encoded, and compared with."""
    picture = f"testsrc2=size=640x360:rate=30:duration={seconds},noise=alls=3:allf=t"
    sound = f"sine=frequency=440:sample_rate=48000:duration={seconds}"
    codecs = [
        "-c:v",
        "libx264",
        "-qp",
        "0",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "pcm_s16le",
    ]
    _ffmpeg(ffmpeg, "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *codecs, path)
    return path


def _ffmpeg(ffmpeg: Path, *arguments: str | Path) -> str:
    command = [str(ffmpeg), "-nostdin", "-v", "error", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
