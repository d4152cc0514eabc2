"""`ffrtmp migrate` moves a farm from one store to another, and says what it did and what is to be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.databases import Server
from tests.masters import Client, Master, launch_master, start_master
from tests.operator.conftest import Ffrtmp
from tests.operator.test_journal_command import state_dir

__all__ = ["state_dir"]  # a fixture


@contextmanager
def serving(state_dir: Path, **flags: Any) -> Iterator[Client]:
    master = start_master(state_dir, **flags)
    try:
        with master.client() as client:
            yield client
    finally:
        assert master.stop() == 0


@pytest.fixture
def url(postgresql: Server) -> str:
    return postgresql.new_schema()


def test_what_it_did_is_said_in_a_few_lines(ffrtmp: Ffrtmp, state_dir: Path, url: str) -> None:
    done = ffrtmp("migrate", "--from", str(state_dir), "--to", url)
    assert done.returncode == 0, done.stderr
    moved, compared, kept, then = done.stdout.splitlines()
    assert moved == (
        f"Moved from {state_dir} to {url}: 2 jobs (1 result), 1 node, 0 tokens, 0 webhooks and 5 events of "
        "the history."
    )
    assert compared.startswith("Read back, it is the same: sha256 ")
    assert kept.startswith(f"What was moved is kept as {state_dir}/journal.moved-")
    assert then == f"Start the master with --store, and with --state-dir {state_dir}."
    again = ffrtmp.json("migrate", "--from", str(state_dir), "--to", url)
    assert (again["before"], again["jobs"], again["events"]) == (True, 2, 5)


def test_a_master_goes_on_with_the_same_farm_in_the_database_and_back(
    ffrtmp: Ffrtmp, url: str, tmp_path: Path
) -> None:
    state_dir = tmp_path / "state"
    with serving(state_dir) as client:
        first = client.post("/jobs", json={"scenario": "480p-h264"}).json()["id"]
        ca = (state_dir / "tls/ca.pem").read_text()
    done = ffrtmp("migrate", "--from", str(state_dir), "--to", url)
    assert "there are still the CA and its key, the operator token" in done.stdout
    with serving(state_dir, store=url) as client:
        assert client.get(f"/jobs/{first}").json()["status"] == "pending"
        second = client.post("/jobs", json={"scenario": "480p-h264"}).json()["id"]
        refused = ffrtmp("migrate", "--from", url, "--to", str(state_dir))
        assert (refused.returncode, refused.stderr) == (
            1,
            f"Error: a master uses {url}; stop it first\n",
        )
    alone = launch_master(state_dir)
    assert alone.process.wait(30) != 0
    assert f"the records of {state_dir} were moved to {url} at" in alone.log.read_text()
    done = ffrtmp("migrate", "--from", url, "--to", str(state_dir))
    assert (
        done.stdout.splitlines()[-1] == f"Start the master with --state-dir {state_dir}, and without --store."
    )
    with serving(state_dir) as client:
        assert {job["id"] for job in client.get("/jobs").json()["jobs"]} == {first, second}
        assert (state_dir / "tls/ca.pem").read_text() == ca
    moved_from(state_dir, url)


def moved_from(state_dir: Path, url: str) -> None:
    """No master starts from the database any more."""
    late: Master = launch_master(state_dir.with_name("late"), store=url)
    assert late.process.wait(40) != 0
    assert f"were moved to {state_dir} at" in late.log.read_text()


def test_a_directory_that_a_master_cannot_start_from_yet_says_what_is_missing(
    ffrtmp: Ffrtmp, state_dir: Path, url: str, tmp_path: Path
) -> None:
    ffrtmp("migrate", "--from", str(state_dir), "--to", url)
    done = ffrtmp("migrate", "--from", url, "--to", str(tmp_path / "new"))
    last = done.stdout.splitlines()[-1]
    missing = "tls/ca-key.pem, operator.token, webhooks.key, webhooks.db, files, logs, archive"
    assert f"copy {missing} from there first" in last


@pytest.mark.parametrize(
    "place", ["postgresql://farm:secret@db/farm", "postgresql://db/farm?password=secret"]
)
def test_a_password_on_the_command_line_is_refused(ffrtmp: Ffrtmp, state_dir: Path, place: str) -> None:
    done = ffrtmp("migrate", "--from", str(state_dir), "--to", place)
    assert done.returncode == 2
    assert "everybody on this machine can read a command line" in done.stderr
    assert "secret" not in done.stderr


def test_both_places_must_be_named(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("migrate", "--from", "/var/lib/ffmpeg-rtmp/master")
    assert done.returncode == 2
    assert "Missing option '--to'" in done.stderr


def test_what_cannot_be_done_is_one_line(ffrtmp: Ffrtmp, tmp_path: Path, url: str) -> None:
    done = ffrtmp("migrate", "--from", str(tmp_path), "--to", url)
    assert (done.returncode, done.stderr) == (
        1,
        f"Error: there is no journal in {tmp_path}; name a master's state directory\n",
    )
