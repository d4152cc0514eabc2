"""A state directory with very many jobs, written in a few seconds before a master starts from it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

from common.model import (
    Attempt,
    Confidence,
    Constraints,
    Failure,
    Hardware,
    Job,
    JobStatus,
    Node,
    NodeType,
    Outcome,
    Priority,
)
from common.scenarios import CATALOGUE
from master.store import snapshot

JOBS = 100_000
_OUTCOMES = {
    JobStatus.COMPLETED: Outcome.COMPLETED,
    JobStatus.FAILED: Outcome.FAILED,
    JobStatus.CANCELED: Outcome.CANCELED,
}
NODE = str(uuid.UUID(int=1))


def write_state(
    state_dir: Path, jobs: int = JOBS, waiting: int = 40_000, now: datetime | None = None, owner: str = "amy"
) -> None:
    """`jobs` jobs, of which the newest `waiting` wait, in a new state directory; every tenth is `owner`'s.

    Of the finished ones, one in ten failed and one in twenty was canceled. None runs: an attempt needs an
    agent. All ran on one node, which is offline until somebody registers as it.
    """
    now = now or datetime.now(UTC)
    records: list[Job | Node] = [_node(now), *_jobs(jobs, waiting, now, owner)]
    directory = state_dir / "journal"
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.mkdir(mode=0o700)
    snapshot.write(directory, snapshot.Snapshot(0, snapshot.least_history(records), records))


def _node(now: datetime) -> Node:
    hardware = Hardware(NodeType.SERVER, 16, "Old Processor 3000", 64 * 10**9, has_gpu=False)
    return Node(
        NODE,
        "old-node",
        hardware,
        {},
        now - timedelta(days=30),
        approved=True,
        lost=True,
        last_seen=now - timedelta(hours=1),
    )


def _jobs(count: int, waiting: int, now: datetime, owner: str) -> Iterator[Job]:
    begun = now - timedelta(seconds=count)
    scenarios = cycle(CATALOGUE[:8])
    for seq, scenario in enumerate(islice(scenarios, count), 1):
        created = begun + timedelta(seconds=seq)
        status = JobStatus.PENDING if seq > count - waiting else _end(seq)
        yield Job(
            id=str(uuid.UUID(int=(seq * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128)),
            seq=seq,
            scenario=scenario.name,
            confidence=Confidence.AUTO,
            parameters={"duration": 10.0},
            priority=list(Priority)[seq % 3],
            constraints=Constraints(encoders=("libx264",)),
            created_at=created,
            max_attempts=3,
            owner=owner if seq % 10 == 0 else None,
            **({} if status is JobStatus.PENDING else _ended(seq, status, created)),
        )


def _end(seq: int) -> JobStatus:
    if seq % 10 == 1:
        return JobStatus.FAILED
    return JobStatus.CANCELED if seq % 20 == 2 else JobStatus.COMPLETED


def _ended(seq: int, status: JobStatus, created: datetime) -> dict[str, object]:
    ended = created + timedelta(seconds=30)
    error = Failure("encode_failed", "ffmpeg ended with status 1") if status is JobStatus.FAILED else None
    attempt = Attempt(1, f"lease-{seq}", NODE, created, ended, _OUTCOMES[status], error)
    completed = status is JobStatus.COMPLETED
    metrics = {"frames": 300, "fps": 20.0 + seq % 50, "output_bytes": 5_000_000 + seq, "wall_seconds": 12.5}
    return {
        "status": status,
        "attempts": (attempt,),
        "finished_at": ended,
        "error": error,
        "metrics": metrics if completed else None,
    }
