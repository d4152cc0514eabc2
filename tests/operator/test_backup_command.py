"""`ffrtmp backup` makes one private, sound file, and never replaces another."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from master.store.segments import read_segment, segments
from tests.masters import Client, Master
from tests.operator.conftest import Ffrtmp
from tests.operator.test_journal_command import damage_the_completion, state_dir

__all__ = ["state_dir"]  # a fixture


def backup(ffrtmp: Ffrtmp, file: Path, state_dir: Path) -> str:
    """What it refuses with, in one line."""
    done = ffrtmp.process("backup", str(file), "--state-dir", str(state_dir))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def test_everything_is_in_it_and_only_its_owner_reads_it(
    ffrtmp: Ffrtmp, master: Master, client: Client, tmp_path: Path
) -> None:
    node_id = client.post("/nodes/register", json={"address": "n"}).json()["id"]
    client.post("/jobs", json={"scenario": "480p-h264"})
    progress = {"node_id": node_id, "log": ["it begins"]}
    claimed = client.get(f"/jobs/next?node_id={node_id}").json()
    client.post(f"/jobs/{claimed['id']}/progress", json=progress | {"lease_id": claimed["lease_id"]})
    (master.state_dir / "archive").mkdir()
    (master.state_dir / "archive" / "2026-01.jsonl.gz").write_bytes(b"finished jobs")
    (master.state_dir / "archive" / "2026-02.jsonl.gz.part").write_bytes(b"unfinished")
    (master.state_dir / "audit").mkdir(exist_ok=True)
    (master.state_dir / "audit" / "0000000000000001.jsonl.gz").write_bytes(b"who did what")
    file = tmp_path / "backup.tar.gz"
    made = ffrtmp.json("backup", str(file), "--state-dir", str(master.state_dir))
    assert (made["jobs"], made["nodes"]) == (
        client.get("/jobs").json()["count"],
        client.get("/nodes").json()["count"],
    )
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as archive:
        names = set(archive.getnames())
        ours = [member for member in archive if member.isfile() and member.name[:5] not in ("archi", "audit")]
        assert all(member.mode == 0o600 for member in ours)
    log = f"logs/{claimed['id'][:2]}/{claimed['id']}.log"
    assert {"restored", "operator.token", "tls/ca-key.pem", "archive/2026-01.jsonl.gz", log} <= names
    assert "webhooks.key" in names
    assert "audit/0000000000000001.jsonl.gz" in names
    assert "archive/2026-02.jsonl.gz.part" not in names


def test_a_stopped_master_is_backed_up_too(ffrtmp: Ffrtmp, state_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    done = ffrtmp.process("backup", str(file), "--state-dir", str(state_dir))
    assert done.stdout == f"Backed up and read back: 2 jobs and 1 node in {file}.\n"


def test_a_file_that_exists_is_never_replaced(ffrtmp: Ffrtmp, state_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    file.write_text("last week's")
    assert f"{file} exists already; choose another name" in backup(ffrtmp, file, state_dir)
    assert file.read_text() == "last week's"


def test_an_unfinished_record_at_the_end_does_no_harm(
    ffrtmp: Ffrtmp, state_dir: Path, tmp_path: Path
) -> None:
    segment = segments(state_dir / "journal")[0]
    segment.write_bytes(segment.read_bytes() + b"00000123 0123")
    made = ffrtmp.json("backup", str(tmp_path / "backup.tar.gz"), "--state-dir", str(state_dir))
    assert (made["jobs"], made["nodes"]) == (2, 1)


def test_a_damaged_journal_makes_no_backup_and_leaves_nothing(
    ffrtmp: Ffrtmp, state_dir: Path, tmp_path: Path
) -> None:
    _, offset = damage_the_completion(state_dir)
    file = tmp_path / "backups" / "backup.tar.gz"
    file.parent.mkdir()
    assert f"the journal is damaged at offset {offset}" in backup(ffrtmp, file, state_dir)
    assert list(file.parent.iterdir()) == []


def test_a_missing_segment_makes_no_backup(ffrtmp: Ffrtmp, state_dir: Path, tmp_path: Path) -> None:
    segment = segments(state_dir / "journal")[0]
    segment.rename(segment.with_name("000000000002.journal"))
    assert "cannot be read back, so no backup was made" in backup(ffrtmp, tmp_path / "b.tar.gz", state_dir)
    assert not (tmp_path / "b.tar.gz").exists()


def test_a_place_that_cannot_be_written_is_one_clear_line(
    ffrtmp: Ffrtmp, state_dir: Path, tmp_path: Path
) -> None:
    assert "there is no directory" in backup(ffrtmp, tmp_path / "nowhere" / "b.tar.gz", state_dir)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read the state of another user")
def test_a_backup_that_root_makes_leaves_the_lock_to_the_master(
    ffrtmp: Ffrtmp, state_dir: Path, tmp_path: Path
) -> None:
    lock = state_dir / "journal" / "fold.lock"
    lock.unlink()
    os.chown(state_dir / "journal", 65534, 65534)
    ffrtmp.json("backup", str(tmp_path / "backup.tar.gz"), "--state-dir", str(state_dir))
    assert lock.stat().st_uid == 65534
    assert read_segment(segments(state_dir / "journal")[0], last=True).records
