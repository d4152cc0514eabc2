"""How long a master takes to start that is a year old, beside new ones.

    python bench/start_time.py --jobs 200000 --runs 5

Through the first came so many jobs in a year, and those older than the retention, 30 days, are in
its archive. The second is new: only those of the last 30 days came. The third is empty. They are
started in turn, each on a copy of its state directory, from the command to the first answer of
/health; the medians are printed, and how the first compares with the second.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from common.model import Confidence, Constraints, Job, Priority, Scalar
from master import tls
from master.api.documents import archive_entry
from master.lifecycle import events
from master.service import Farm
from master.service.retention import Retention
from master.store.journal import SEGMENT_BYTES
from tests.core.support import FakeClock, embedded, make_farm
from tests.masters import start_master

YEAR, RETENTION = 365 * 86400.0, 30 * 86400.0
TOGETHER = 100
"""Jobs in one transaction: what is measured is the start, so the year may go by quickly."""
METRICS: dict[str, Scalar] = {
    "frames": 600, "duration": 10.0, "fps": 7.7, "speed": 0.128, "bitrate_asked": 20_000_000,
    "bitrate": 20_211_912.8, "output_bytes": 25_264_891, "output_path": "/var/lib/ffmpeg-rtmp/" + "8" * 44,
    "cpu_seconds": 55.1, "peak_memory_bytes": 912_654_336, "wall_seconds": 77.9, "width": 3840,
    "height": 2160, "frame_rate": 60.0, "codec": "h264", "pixel_format": "yuv420p", "encoder": "libx264",
    "ffmpeg_version": "9.0.2", "command": "ffmpeg -hide_banner " + "-option value " * 50, "runs": 1,
}  # fmt: skip
"""As an agent reports them."""


def jobs_pass(farm: Farm, clock: FakeClock, count: int, span: float) -> Iterator[None]:
    """Within `span` seconds `count` jobs are submitted and finished, and old ones archived, step by step."""
    chore = Retention(farm, archive_entry)
    for done in range(0, count, TOGETHER):
        _finish(farm, clock, min(TOGETHER, count - done))
        clock.advance(span * TOGETHER / count)
        chore.step(clock())
        yield


def _finish(farm: Farm, clock: FakeClock, count: int) -> None:
    """One transaction of jobs from their submission to their end."""
    with farm.store.transaction(clock()) as tx:
        happened: list[events.Event] = []
        at = clock().wall
        for seq in range(tx.next_seq(), tx.next_seq() + count):
            job_id, lease_id = str(uuid.uuid4()), str(uuid.uuid4())
            job = Job(
                job_id, seq, "4K60-h264", Confidence.AUTO, {"duration": 10}, Priority.MEDIUM,
                Constraints(encoders=("libx264",)), at, 3,
            )  # fmt: skip
            happened += [
                events.JobSubmitted(job, at),
                events.JobClaimed(job_id, at, "node-1", lease_id, 1),
                events.JobCompleted(job_id, at, "node-1", METRICS, {"realtime": False}, "0" * 64),
            ]
        tx.record(happened)


def _fold(farm: Farm, clock: FakeClock) -> None:
    """What the reaper does every second; a year is long enough for each snapshot to be finished."""
    farm.store.tidy(clock())
    process = embedded(farm)._folding._process
    if process is not None:
        process.wait()
        farm.store.tidy(clock())


def prepare(state_dir: Path, jobs: int, span: float) -> None:
    """The state directory of a master that stopped after `jobs` jobs have come within `span` seconds."""
    clock = FakeClock()
    farm = make_farm(state_dir, clock, SEGMENT_BYTES, retention=RETENTION)
    tls.ensure_certificates(state_dir, tls.local_names(), datetime.now(UTC))
    for _ in jobs_pass(farm, clock, jobs, span):
        _fold(farm, clock)
    farm.store.close()


def seconds_to_start(state_dir: Path) -> float:
    """From the command line to the first answer, on a copy of `state_dir`."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "state"
        shutil.copytree(state_dir, copy)
        begun = time.monotonic()
        master = start_master(copy)
        taken = time.monotonic() - begun
        master.stop()
    return taken


def _mebibytes(path: Path) -> float:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 2**20


def main() -> None:
    """Prepare three masters, start them in turn, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=200_000, help="in the year")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    young = int(arguments.jobs * RETENTION / YEAR)
    masters = {"empty": (0, 0.0), "new": (young, RETENTION), "a year old": (arguments.jobs, YEAR)}
    with tempfile.TemporaryDirectory() as directory:
        taken: dict[str, list[float]] = {name: [] for name in masters}
        for name, (jobs, span) in masters.items():
            prepare(Path(directory) / name, jobs, span)
        for _ in range(arguments.runs):
            for name in masters:
                taken[name].append(seconds_to_start(Path(directory) / name))
        for name, (jobs, _) in masters.items():
            state_dir, seconds = Path(directory) / name, taken[name]
            print(
                f"{name}: {jobs:,} jobs came; {statistics.median(seconds):.2f} s to start"
                f" ({min(seconds):.2f} to {max(seconds):.2f});"
                f" journal and snapshot {_mebibytes(state_dir / 'journal'):.1f} MiB,"
                f" archive {_mebibytes(state_dir / 'archive'):.1f} MiB"
            )
    print(f"a year old / new: {statistics.median(taken['a year old']) / statistics.median(taken['new']):.2f}")


if __name__ == "__main__":
    main()
