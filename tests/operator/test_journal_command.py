"""`ffrtmp journal check` says what is in a journal and what can be saved; `repair` saves it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from common.clock import system_clock
from master.config import Config
from master.files import Shelf
from master.service import Farm
from master.service.farm import new_id
from master.store.archive import Archive
from master.store.formats import FORMAT
from master.store.frames import frame
from master.store.logs import LogStore
from master.store.memory import MemoryStore
from master.store.segments import read_segment, segments
from tests.core.support import finish, must_claim, register, submit
from tests.masters import Client, start_master
from tests.operator.conftest import Ffrtmp
from tests.store.test_damage import flip

NOBODY = 65534


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """What a stopped master left: a completed job and a pending one."""
    root = tmp_path / "state"
    store = MemoryStore(root / "journal", system_clock())
    shelf = Shelf(root / "files", None, system_clock, new_id)
    logs, archive = LogStore(root / "logs"), Archive(root / "archive")
    farm = Farm(Config(state_dir=root), store, logs, archive, shelf, system_clock)
    node_id = register(farm)
    submit(farm)
    finish(farm, must_claim(farm, node_id))
    submit(farm)
    store.close()
    return root


def damage_the_completion(state_dir: Path) -> tuple[str, int]:
    """The job that it was about, and where it is."""
    segment = segments(state_dir / "journal")[0]
    record = next(r for r in read_segment(segment, last=True).records if b"JobCompleted" in r.payload)
    flip(segment, record.offset + 3)
    return record.payload.split(b'"job_id":"')[1].split(b'"')[0].decode(), record.offset


def test_a_sound_journal_is_called_sound(ffrtmp: Ffrtmp, state_dir: Path) -> None:
    done = ffrtmp("journal", "check", "--state-dir", str(state_dir))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"000000000001.journal: format {FORMAT}, 5 transactions",
        "The journal is sound: 2 jobs and 1 node.",
    ]


def test_a_running_master_may_be_checked(ffrtmp: Ffrtmp, client: Client, tmp_path: Path) -> None:
    master = start_master(tmp_path / "state")
    try:
        with master.client() as own:
            for _ in range(5):
                assert own.post("/jobs", json={"scenario": "480p-h264"}).ok
        checked = ffrtmp.json("journal", "check", "--state-dir", str(master.state_dir))
        assert checked["sound"]
        assert checked["transactions"]["before"] == 5 + 1  # the start of the master is one
        refused = ffrtmp.process("journal", "repair", "--yes", "--state-dir", str(master.state_dir))
        assert refused.returncode == 1
        assert "stop the master first, if it runs: the state directory" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    finally:
        master.stop()


def test_damage_is_explained_with_its_offset_and_what_it_means(ffrtmp: Ffrtmp, state_dir: Path) -> None:
    job_id, offset = damage_the_completion(state_dir)
    done = ffrtmp("journal", "check", "--state-dir", str(state_dir))
    assert done.returncode == 1
    assert f"damaged at offset {offset} (" in done.stdout
    assert "transactions before the damage: all 3" in done.stdout
    assert "whole transactions behind it: 1 of 1 still fit" in done.stdout
    assert f"  {job_id}: running: it runs again unless its node reports" in done.stdout
    assert f"ffrtmp journal repair --state-dir {state_dir}" in done.stdout
    done = ffrtmp("-o", "json", "journal", "check", "--state-dir", str(state_dir))
    assert done.returncode == 1
    assert '"sound": false' in done.stdout


def test_a_repaired_master_starts_with_all_that_was_saved(ffrtmp: Ffrtmp, state_dir: Path) -> None:
    job_id, _ = damage_the_completion(state_dir)
    before = {path.name: path.read_bytes() for path in segments(state_dir / "journal")}
    asked = ffrtmp.process("journal", "repair", "--state-dir", str(state_dir))
    assert asked.returncode == 1  # nobody answered
    assert {path.name: path.read_bytes() for path in segments(state_dir / "journal")} == before
    done = ffrtmp.process("journal", "repair", "--yes", "--state-dir", str(state_dir))
    assert done.returncode == 0, done.stderr
    assert "Repaired: 2 jobs and 1 node are saved. The damaged journal is kept in " in done.stdout
    assert ffrtmp("journal", "check", "--state-dir", str(state_dir)).returncode == 0
    master = start_master(state_dir)
    try:
        with master.client() as own:
            assert own.get(f"/jobs/{job_id}").json()["status"] == "running"
            assert own.get("/jobs").json()["count"] == 2
    finally:
        master.stop()
    again = ffrtmp.process("journal", "repair", "--yes", "--state-dir", str(state_dir))
    assert again.stdout == "The journal is sound; there is nothing to repair.\n"


def test_what_a_newer_program_wrote_is_neither_checked_nor_repaired(ffrtmp: Ffrtmp, state_dir: Path) -> None:
    segment = segments(state_dir / "journal")[0]
    data = segment.read_bytes().replace(b'"format": %d' % FORMAT, b'"format": 9')
    end = data.index(b"\n")
    segment.write_bytes(frame(data[27:end], 0) + data[end + 1 :])
    for command in (("check",), ("repair", "--yes")):
        done = ffrtmp("journal", *command, "--state-dir", str(state_dir))
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert f"{segment} has format 9" in done.stderr


def test_a_wrong_directory_is_one_clear_line(ffrtmp: Ffrtmp, tmp_path: Path) -> None:
    done = ffrtmp("journal", "check", FFRTMP_STATE_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: there is no journal in {tmp_path}; name the master's state directory with --state-dir\n"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_what_root_makes_belongs_to_the_owner_of_the_state_directory(ffrtmp: Ffrtmp, state_dir: Path) -> None:
    damage_the_completion(state_dir)
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        moved = Path(shutil.move(state_dir, Path(open_to_all) / "state"))
        (moved / "journal" / "fold.lock").unlink()
        for path in [moved, *moved.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        done = ffrtmp.process("journal", "repair", "--yes", "--state-dir", str(moved))
        assert done.returncode == 0, done.stderr
        assert {path.stat().st_uid for path in moved.rglob("*")} == {NOBODY}
