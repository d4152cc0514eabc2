"""A farm on a clock that only the test moves."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from common.model import Cut, Divisible, Job, JobStatus, Now, Progress, Report, Role, Stage
from common.schema import RegisterSchema, SubmitSchema
from common.version import PROTOCOL
from master.config import Config
from master.files import Shelf
from master.pauses import in_thread
from master.service import Caller, Farm, JobView, claiming, jobs, nodes, work
from master.service.claiming import Poll
from master.service.farm import new_id
from master.store.archive import Archive
from master.store.interface import Store
from master.store.logs import LogStore
from master.store.memory import MemoryStore

OPERATOR = Caller(Role.OPERATOR)
AGENT = Caller(Role.OPERATOR, protocol=PROTOCOL)
"""Who registers nodes whose agents speak what we speak."""


_MEMORY = Path("/dev/shm")
_ROOM = 32 * 1024**2
"""Bytes that must be free there."""


@contextmanager
def directory_in_memory() -> Iterator[Path]:
    """A new directory, on a disk in memory where the system has one; it is removed in the end.

    For what is decided, not for what a disk does: each decision is synced, and a real disk would be most of
    what a test waits for. Disks have their tests in tests/store and tests/faults/disk.
    """
    usable = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    with tempfile.TemporaryDirectory(prefix="farm-", dir=_MEMORY if usable else None) as name:
        yield Path(name)


class FakeClock:
    """Both clocks; they move only when told to."""

    def __init__(self) -> None:
        self.now = Now(datetime(2026, 1, 1, tzinfo=UTC), 1000.0)

    def __call__(self) -> Now:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now = Now(self.now.wall + timedelta(seconds=seconds), self.now.mono + seconds)

    def set_wall(self, wall: datetime) -> None:
        self.now = Now(wall, self.now.mono)


def in_memory(directory: Path, clock: FakeClock, segment_bytes: int) -> Store:
    """The store in this process."""
    return MemoryStore(directory / "journal", clock(), segment_bytes=segment_bytes)


make_store: Callable[[Path, FakeClock, int], Store] = in_memory
"""Opens the store of a farm in a directory; tests that run over several stores replace it (`conftest`)."""


def make_farm(directory: Path, clock: FakeClock, segment_bytes: int = 64 * 1024, **settings: Any) -> Farm:
    config = Config(state_dir=directory, **settings)
    store = make_store(directory, clock, segment_bytes)
    _left_open.append(store)
    shared = config.farm_dir
    shelf = Shelf(shared / "files", config.files_quota, clock, new_id, store)
    logs = LogStore(shared / "logs", coming=store.coming)
    return Farm(config, store, logs, Archive(shared / "archive"), shelf, clock)


_left_open: list[Store] = []


def embedded(farm: Farm) -> MemoryStore:
    """The farm's store, which is the one in this process: for tests of what is inside it."""
    assert isinstance(farm.store, MemoryStore)
    return farm.store


def crash(store: Store) -> None:
    """What the kernel does for a dead process: files are closed as they are, and nothing is synced."""
    if not isinstance(store, MemoryStore):
        store.close()  # all of it is another process's
        return
    if store._journal._fd >= 0:
        os.close(store._journal._fd)
        store._journal._fd = -1


def crash_all() -> None:
    """Leave no files open behind a test."""
    while _left_open:
        crash(_left_open.pop())


def register(farm: Farm, address: str = "worker-01", caller: Caller = OPERATOR, **fields: Any) -> str:
    loaded = RegisterSchema().load({"address": address, **fields})
    return nodes.register(farm, caller, loaded).node.id


def submit(farm: Farm, scenario: str = "720p-h264", **fields: Any) -> str:
    return jobs.submit(farm, OPERATOR, SubmitSchema().load({"scenario": scenario, **fields})).job.id


def next_jobs(farm: Farm, caller: Caller, poll: Poll, wait: float) -> list[JobView]:
    """Claim jobs for a node, waiting for one in this thread for up to `wait` seconds."""
    return in_thread(claiming.wait_for_jobs(farm, caller, poll, wait))


def next_job(
    farm: Farm, caller: Caller, node_id: str, known: list[str] | None, wait: float
) -> JobView | None:
    """The same of one job."""
    return next(iter(next_jobs(farm, caller, Poll(node_id, known), wait)), None)


def claim(farm: Farm, node_id: str, known: list[str] | None = None) -> JobView | None:
    return next_job(farm, OPERATOR, node_id, known, 0)


def must_claim(farm: Farm, node_id: str) -> JobView:
    claimed = claim(farm, node_id)
    assert claimed is not None
    return claimed


def report(view: JobView, status: JobStatus = JobStatus.COMPLETED, **fields: Any) -> Report:
    """The report of the attempt that `view` shows, as its agent would send it."""
    lease = view.job.lease
    assert lease is not None
    values: Mapping[str, Any] = {
        "lease_id": lease.lease_id,
        "attempt": lease.number,
        "metrics": {"frames": 300},
        "digest": f"{status}{sorted(fields.items())}",
        **fields,
    }
    return Report(view.job.id, lease.node_id, status, **values)


def finish(farm: Farm, view: JobView, status: JobStatus = JobStatus.COMPLETED, **fields: Any) -> None:
    work.finish(farm, OPERATOR, report(view, status, **fields), [])


def tell(farm: Farm, view: JobView, seconds_left: float) -> None:
    """Have the node that runs it say that half of it is done, and how long it still takes."""
    lease = view.job.lease
    assert lease is not None
    how = Progress(percent=50.0, seconds_left=seconds_left)
    work.progress(farm, OPERATOR, view.job.id, lease.node_id, lease.lease_id, how, [])


LADDER = {"ladder": ["180p", "120p", "90p"]}
"""Parameters of a job with three parts."""
TARGET = {"target_vmaf": 94}
"""Parameters of a job with as many parts as there are nodes, four at most, if there are several."""
SOURCE = {"shown_width": 320, "shown_height": 180, "source_frame_rate": 30.0, "source_duration": 2.0}
"""What a node says of an input of such a job."""


FRAMES = 3000
"""Of the input that `divisible` tells of."""


def divisible(**more: Any) -> Divisible:
    """What a node says of two minutes that may be cut each second."""
    cuts = tuple(Cut(n, n, (max(0, n - 12),) * 2, n / 25, work=100 + n) for n in range(0, FRAMES, 25))
    known: dict[str, Any] = {"frames": FRAMES, "end": FRAMES, "time_base": (1, 25), "cuts": cuts}
    return Divisible(None, **{**known, "source": json.dumps({"width": 320}), **more})


def divide(farm: Farm, node_id: str, parent_id: str) -> list[Job]:
    """Have the node plan the job, which has to be the next one; its parts."""
    view = must_claim(farm, node_id)
    assert (view.job.id, view.job.stage) == (parent_id, Stage.PLAN)
    finish(farm, view, metrics=SOURCE)
    return parts(farm, parent_id)


def parts(farm: Farm, parent_id: str) -> list[Job]:
    """The parts of a job, in the order of their submission."""
    with farm.store.transaction(farm.clock()) as tx:
        return tx.children(parent_id)


def all_jobs(farm: Farm) -> dict[str, Job]:
    """The jobs that are kept, by their ids."""
    with farm.store.transaction(farm.clock()) as tx:
        return {each.id: each for each in tx.page(None, None, 1_000_000)}


def job(farm: Farm, job_id: str) -> JobView:
    return jobs.get(farm, OPERATOR, job_id)
