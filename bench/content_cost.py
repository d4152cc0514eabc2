"""What a picture that ffmpeg makes costs, beside the encoders that cost least.

    python bench/content_cost.py --seconds 4 --runs 3

For each content the CPU time is measured of making it alone, at 1080p30, and of encoding it with
x264 superfast and veryfast. What the encoder takes is the difference. The least of the runs
counts: what else the machine does can only add. The last column is to be below 1.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information

from agent.ffmpeg.content import CLIP_FRAMES, clip
from agent.ffmpeg.source import scaled, synthetic
from agent.ffmpeg.video import video
from common.scenarios import SCENARIOS
from common.settings import EncodeSettings, resolve

CONTENTS = ("test", "noise", "motion", "complex")
PRESETS = ("superfast", "veryfast")


def cpu_seconds(argv: list[str], descriptor: int | None) -> float:
    """User and system time of one ffmpeg."""
    if descriptor is not None:
        os.lseek(descriptor, 0, os.SEEK_SET)
    process = subprocess.Popen(argv, pass_fds=() if descriptor is None else (descriptor,))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"ffmpeg failed: {argv}")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="of video")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", default="1920x1080")
    options = parser.parse_args()
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y"]
    width, height = map(int, options.size.split("x"))

    def settings(content: str, preset: str) -> EncodeSettings:
        asked = {
            "content": content,
            "preset": preset,
            "duration": options.seconds,
            "width": width,
            "height": height,
        }
        return resolve(SCENARIOS["1080p30-h264"], asked)

    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "complex.yuv"
        whole = ["-frames:v", str(CLIP_FRAMES), "-pix_fmt", "yuv420p", "-f", "rawvideo", str(file)]
        subprocess.run([*ffmpeg, "-f", "lavfi", "-i", clip(), *whole], check=True)
        print(f"{'content':10} {'preset':10} {'source s':>9} {'encoder s':>10} {'source/encoder':>15}")
        for content in CONTENTS:
            descriptor = os.open(file, os.O_RDONLY) if content == "complex" else None
            for preset in PRESETS:
                wanted = settings(content, preset)
                given = [
                    *ffmpeg,
                    *synthetic(wanted, descriptor),
                    *(scaled(wanted) if descriptor is not None else []),
                ]
                frames = ["-frames:v", str(wanted.frames), "-pix_fmt", "yuv420p"]
                alone = min(
                    cpu_seconds([*given, *frames, "-f", "null", "-"], descriptor) for _ in range(options.runs)
                )
                both = min(
                    cpu_seconds([*given, *frames, *video(wanted), "-f", "null", "-"], descriptor)
                    for _ in range(options.runs)
                )
                print(
                    f"{content:10} {preset:10} {alone:9.3f} {both - alone:10.3f} "
                    f"{alone / (both - alone):15.3f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
