"""A master that is killed just when it archives: every finished job is archived in the end, and once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from tests.api.corner import Corner, got
from tests.masters import Client, start_master, wait_until

KILLS = 5
JOBS = 20


def finish_jobs(client: Client) -> set[str]:
    """The ids of jobs whose results were acknowledged."""
    corner = Corner(client)
    node = corner.register()
    done = set()
    for _ in range(JOBS):
        corner.submit()
        claimed = corner.poll(node["id"])["job"]
        got(corner.report(claimed))
        done.add(claimed["id"])
    return done


def files(archive: Path) -> set[tuple[str, int]]:
    """The archive's whole files: another inode is another content."""
    return {(path.name, path.stat().st_ino) for path in archive.glob("*.gz")}


def changed(archive: Path, before: set[tuple[str, int]]) -> bool:
    return files(archive) != before


def archived(client: Client) -> list[str]:
    found: list[dict[str, Any]] = []
    query: dict[str, str] | None = {}
    while query is not None:
        page = got(client.get("/results/archive", params=query))
        found += page["results"]
        query = None if page["next"] is None else {"after": page["next"]}
    return [result["job_id"] for result in found]


def test_nothing_is_lost_and_nothing_is_archived_twice(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    acknowledged: set[str] = set()
    for _ in range(KILLS):
        master = start_master(state_dir, retention="100ms")
        before = files(state_dir / "archive")
        with master.client() as client:
            acknowledged |= finish_jobs(client)
        wait_until(partial(changed, state_dir / "archive", before), "something is archived")
        master.kill()
    master = start_master(state_dir, retention="100ms")
    try:
        with master.client() as client:
            wait_until(lambda: got(client.get("/jobs"))["count"] == 0, "the memory is empty")
            in_the_end = archived(client)
    finally:
        master.stop()
    assert len(acknowledged) == KILLS * JOBS
    assert sorted(in_the_end) == sorted(acknowledged)
