"""A backup of a busy master is restored as docs/backup.md says: what was acknowledged before it is there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from common.model import FarmState
from master.store import snapshot
from tests.docs.markdown import ROOT, blocks
from tests.masters import Master, start_master, wait_until

FFRTMP = f'ffrtmp() {{ "{sys.executable}" -c "from master.operator.cli import main; main()" "$@"; }}\n'


def do(what: str, **environment: str) -> None:
    """Run the commands of docs/backup.md that do this."""
    page = (ROOT / "docs/backup.md").read_text()
    script = next(block.text for block in blocks(page) if block.attributes.get("does") == what)
    done = subprocess.run(
        ["bash", "-euc", FFRTMP + script],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


class Load(threading.Thread):
    """Submits, claims and completes jobs until told to end."""

    def __init__(self, master: Master) -> None:
        super().__init__()
        self.client = master.client()
        self.node_id = self.client.post("/nodes/register", json={"address": "n"}).json()["id"]
        self.jobs: list[str] = []
        self.results: list[str] = []
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            self.jobs.append(self.client.post("/jobs", json={"scenario": "480p-h264"}).json()["id"])
            if len(self.jobs) % 2:
                continue
            claimed = self.client.get(f"/jobs/next?node_id={self.node_id}").json()["job"]
            report = {"job_id": claimed["id"], "node_id": self.node_id, "metrics": {"frames": 300}}
            assert self.client.post("/results", json=report).ok
            self.results.append(claimed["id"])

    def end(self) -> None:
        self.ended.set()
        self.join()
        self.client.close()


@pytest.fixture
def backed_up(tmp_path: Path) -> tuple[Path, Path, Load, list[str], list[str]]:
    """The state directory, its backup, the load, and what was acknowledged before the backup began."""
    master = start_master(tmp_path / "state")
    load = Load(master)
    load.start()
    try:
        wait_until(lambda: len(load.results) >= 20, "there is load")
        jobs, results = list(load.jobs), list(load.results)
        do("backup", FFRTMP_STATE_DIR=str(tmp_path / "state"), FILE=str(tmp_path / "backup.tar.gz"))
        wait_until(lambda: len(load.jobs) > len(jobs) + 10, "the master goes on")
    finally:
        load.end()
        assert master.stop() == 0
    return tmp_path / "state", tmp_path / "backup.tar.gz", load, jobs, results


def test_all_that_was_acknowledged_is_there_and_the_master_is_the_same(
    backed_up: tuple[Path, Path, Load, list[str], list[str]], tmp_path: Path
) -> None:
    state_dir, file, _, jobs, results = backed_up
    elsewhere = tmp_path / "elsewhere"
    do("restore", FILE=str(file), DIR=str(elsewhere))
    assert elsewhere.stat().st_mode & 0o777 == 0o700
    do("check", DIR=str(elsewhere))
    master = start_master(elsewhere)
    try:
        with master.client() as client:
            assert all(client.get(f"/jobs/{job}").ok for job in jobs)
            completed = (client.get(f"/jobs/{job}").json() for job in results)
            assert {job["status"] for job in completed} == {"completed"}
        assert master.ca.read_bytes() == (state_dir / "tls/ca.pem").read_bytes()
        assert master.token == (state_dir / "operator.token").read_text().strip()
    finally:
        assert master.stop() == 0


def test_the_old_state_is_moved_away_and_attempts_are_never_numbered_as_before(
    backed_up: tuple[Path, Path, Load, list[str], list[str]],
) -> None:
    state_dir, file, load, _, _ = backed_up
    directory = state_dir / "journal"
    longest = snapshot.advance(directory, snapshot.read(directory)).history
    do("restore", FILE=str(file), DIR=str(state_dir))
    assert (state_dir.with_name("state.before") / "journal").exists()
    assert (state_dir / "restored").exists()
    master = start_master(state_dir)
    try:
        assert not (state_dir / "restored").exists()
        with master.client() as client:
            assert not client.get(f"/jobs/{load.jobs[-1]}").ok
    finally:
        assert master.stop() == 0
    found = snapshot.advance(directory, snapshot.read(directory))
    assert found.history > longest
    (farm,) = (record for record in found.records if isinstance(record, FarmState))
    assert farm.attempts_above > longest


def test_an_ordinary_start_rewinds_nothing(tmp_path: Path) -> None:
    assert start_master(tmp_path / "state").stop() == 0
    assert start_master(tmp_path / "state").stop() == 0
    directory = tmp_path / "state" / "journal"
    (farm,) = snapshot.advance(directory, snapshot.read(directory)).records
    assert isinstance(farm, FarmState)
    assert farm.attempts_above == 0
