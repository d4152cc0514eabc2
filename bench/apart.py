"""What it costs to have a file read in the sandbox: by a process of its own, and by a fork of a host.

    python bench/apart.py --runs 20

Cuts the piece of one window out of a clip, and measures the clip, by turns in both ways. CPU time is that of
all processes and of this one, which stands for the agent; the median of the runs counts. The host's start is
told apart: it is paid once for each family of jobs and each attempt that works on it at once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import psutil

from agent.apart import limits_of, program, run_apart
from agent.chunks.cutter import Wanted
from agent.ffmpeg.source import DEMUXERS
from agent.ffmpeg.spawner import Spawner
from agent.hosts.pool import Family, Hosts
from agent.sandbox import Sandbox, detect

RATE = 25
TICK = (1, 12800)
"""Of the clip, in seconds."""
PROGRAMS = {"cutter": "agent.chunks.cutter", "prober": "agent.prober"}


class Reader:
    """Has one clip read."""

    def __init__(self, clip: Path, seconds: int, spawner: Spawner) -> None:
        self._clip, self._spawner = clip, spawner
        self._window = Wanted(seconds / 2, seconds * 3 * TICK[1] // 4, TICK)

    def cost(self, which: str, sandbox: Sandbox) -> tuple[float, float]:
        """Seconds of CPU time and on the clock, of one call."""
        file = os.open(self._clip, os.O_RDONLY)
        with tempfile.TemporaryFile() as output:
            arguments, descriptors = self._arguments(which, file, output.fileno())
            began, own = time.monotonic(), time.process_time()
            ended = run_apart(
                program(PROGRAMS[which]),
                arguments,
                self._spawner,
                sandbox,
                threading.Event(),
                limits_of(0, output=1024**3),
                descriptors,
            )
            taken = time.monotonic() - began
            cpu = ended.cpu_seconds + time.process_time() - own
        os.close(file)
        if ended.returncode != 0 or '"error"' in ended.log[-1]:
            raise SystemExit(f"{which} failed: {ended}")
        return cpu, taken

    def _arguments(self, which: str, file: int, output: int) -> tuple[Sequence[str], Sequence[int]]:
        if which == "prober":
            return ["clip.mp4", str(file), DEMUXERS, ""], [file]
        return [str(file), "", DEMUXERS, str(output), json.dumps(asdict(self._window))], [file, output]


def make(seconds: int, directory: Path) -> Path:
    """A clip with a key frame every two seconds."""
    clip = directory / "clip.mp4"
    source = f"testsrc2=size=640x360:rate={RATE}:duration={seconds}"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", source]
    options = ["-pix_fmt", "yuv420p", "-preset", "ultrafast", "-g", str(2 * RATE)]
    subprocess.run([*ffmpeg, *options, clip], check=True)
    return clip


def held() -> list[tuple[int, int]]:
    """Bytes that each waiting host has in memory, and of these that are its own."""
    hosts = [host for monitor in psutil.Process().children() for host in monitor.children()]
    return [(host.memory_info().rss, host.memory_info().rss - host.memory_info().shared) for host in hosts]


def measure(reader: Reader, sandbox: Sandbox, runs: int) -> None:
    """Print what the calls cost."""
    hosts = Hosts(1)
    hosted = replace(sandbox, family=Family(hosts, "clip"))
    print("CPU time of one call (wall time), medians by turns:")
    for which in PROGRAMS:
        hosts.end()
        reader.cost(which, sandbox)  # files are in the page cache from here on
        first, _ = reader.cost(which, hosted)
        both = [(reader.cost(which, sandbox), reader.cost(which, hosted)) for _ in range(runs)]
        (own, own_wall), (fork, fork_wall) = (
            [statistics.median(run[way][kind] for run in both) for kind in (0, 1)] for way in (0, 1)
        )
        print(f"{which}: a process of its own {1000 * own:.1f} ms ({1000 * own_wall:.0f} ms)")
        print(f"{which}: a fork of a host     {1000 * fork:.1f} ms ({1000 * fork_wall:.0f} ms)")
        print(f"{which}: ratio {own / fork:.1f}; with the host's start {1000 * first:.1f} ms")
    for resident, private in held():
        print(f"a host that waits: {resident / 1e6:.0f} MB resident, of which {private / 1e6:.0f} MB its own")
    hosts.close()


def main() -> None:
    """Make a clip and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=20, help="of the clip")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ffrtmp-bench-") as name, Spawner() as spawner:
        clip = make(options.seconds, Path(name))
        measure(Reader(clip, options.seconds, spawner), detect(spawner, "required"), options.runs)


if __name__ == "__main__":
    main()
