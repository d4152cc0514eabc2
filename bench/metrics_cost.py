"""What a submitted job costs with metrics, beside what it costs without.

    python bench/metrics_cost.py --jobs 3000

Two farms take the same jobs in one process, through the whole application and onto a disk, a few at a time
in turn. One counts and times all that /metrics tells of; from the other all of that is taken out: the
timing of requests, of the lock and of syncs, the counting of events, and the queue's index of its
oldest jobs. For each the middle of all rounds is printed, and the ratio. Then what a scrape costs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from flask import Flask

from common.clock import system_clock
from master.app import create_app
from master.auth import Gate
from master.config import Config
from master.files import Shelf
from master.hosts import Hosts
from master.metrics import Measures
from master.service import Farm
from master.service.farm import new_id
from master.store.archive import Archive
from master.store.logs import LogStore
from master.store.memory import MemoryStore
from master.store.meter import UNMETERED, Meter
from master.store.ordered import Ordered

TOKEN = "t" * 43
ROUND = 20
"""Jobs that one farm takes before it is the other's turn."""


class Nothing(Ordered[int]):
    """Keeps nothing: an index that is not there."""

    def add(self, value: int) -> None:
        """Forget it."""


class Untimed(Measures):
    """Times no request."""

    def answered(self, _route: str | None, _method: str, _status: int, _seconds: float) -> None:
        """Forget it."""


def application(directory: Path, *, measured: bool) -> Flask:
    """A farm of its own, and the application that serves it."""
    measures = Measures() if measured else Untimed()
    meter = Meter(measures.lock_wait.observe, measures.lock_hold.observe, measures.journal_sync.observe)
    store = MemoryStore(directory / "journal", system_clock(), meter=meter if measured else UNMETERED)
    shelf = Shelf(directory / "files", None, system_clock, new_id)
    logs, archive = LogStore(directory / "logs"), Archive(directory / "archive")
    farm = Farm(
        Config(state_dir=directory, submit_rate=0), store, logs, archive, shelf, system_clock, "", measures
    )
    app = create_app(farm, Gate(store, TOKEN, system_clock, local_door=False), Hosts({"localhost"}))
    if not measured:
        farm.feed._hearers = [each for each in farm.feed._hearers if not _counts(each)]
        store._state.queue._in_order = [Nothing() for _ in store._state.queue._in_order]
    return app


def _counts(hearer: Any) -> bool:
    return type(getattr(hearer, "__self__", None)).__name__ == "Happenings"


def submit(app: Flask, jobs: int) -> tuple[float, float]:
    """Seconds on the clock, and of the CPU, for each job."""
    client = app.test_client()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(jobs):
        answer = client.post("https://localhost/jobs", json={"scenario": "720p-h264"}, headers=headers)
        if answer.status_code != 201:
            raise SystemExit(answer.text)
    return (time.perf_counter() - wall) / jobs, (time.process_time() - cpu) / jobs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=3000, help="for each of the two farms")
    parser.add_argument("--directory", type=Path, help="where the state is kept meanwhile")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        apps = {
            name: application(Path(directory) / name, measured=name == "with metrics")
            for name in ("without", "with metrics")
        }
        for app in apps.values():
            submit(app, 5 * ROUND)  # what is loaded at the first request
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in apps}
        for number in range(max(2, options.jobs // ROUND)):
            for name in sorted(apps, reverse=bool(number % 2)):
                found[name].append(submit(apps[name], ROUND))
        middles = {
            name: [statistics.median(each) for each in zip(*rounds, strict=True)]
            for name, rounds in found.items()
        }
        print("one submitted job    clock, us      CPU, us")
        for name, (wall, cpu) in middles.items():
            print(f"{name:<18}{wall * 1e6:12.1f} {cpu * 1e6:12.1f}")
        wall, cpu = (with_ / without for without, with_ in zip(*middles.values(), strict=True))
        print(f"{'ratio':<18}{wall:12.3f} {cpu:12.3f}")
        client, headers = apps["with metrics"].test_client(), {"Authorization": f"Bearer {TOKEN}"}
        times = []
        for _ in range(30):
            begun = time.perf_counter()
            size = len(client.get("https://localhost/metrics", headers=headers).data)
            times.append(time.perf_counter() - begun)
        print(f"a scrape: {statistics.median(times) * 1e3:.1f} ms, {size} bytes, with that queue of jobs")


if __name__ == "__main__":
    main()
