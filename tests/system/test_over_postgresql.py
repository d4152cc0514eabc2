"""A whole farm whose master keeps its records in PostgreSQL: encodes, a killed master, a crashed database."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.databases import Server
from tests.masters import Master, free_port, run_master, wait_until
from tests.system.farm import SHORT, TINY, Farm, halfway, job_is, outcomes, submit


@pytest.fixture
def url(postgresql: Server) -> str:
    return postgresql.new_schema()


def master_of(farm: Farm, url: str) -> Master:
    return farm.master(store=url)


def test_jobs_are_encoded_and_nothing_is_kept_in_a_journal(farm: Farm, url: str) -> None:
    master = master_of(farm, url)
    agent = farm.agent(master, "--max-concurrent-jobs=2")
    with master.client() as client:
        ids = [submit(client, TINY) for _ in range(3)]
        for job_id in ids:
            assert outcomes(job_is(client, job_id, "completed")) == ["completed"]
        assert {each["job_id"] for each in client.get("/results").json()["results"]} == set(ids)
        assert [each["status"] for each in client.get("/nodes").json()["nodes"]] == ["available"]
        events = [each["event"] for each in client.get("/audit?limit=100").json()["entries"]]
        assert events.count("job_completed") == 3
    assert agent.process.poll() is None
    assert not (master.state_dir / "journal").exists()


def test_an_encode_goes_on_while_the_master_is_killed(farm: Farm, url: str) -> None:
    master = master_of(farm, url)
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, SHORT)
    with halfway(agent, job_id) as ffmpeg:
        master.kill()
        master = master_of(farm, url)
        assert agent.ffmpegs() == [ffmpeg]
    with master.client() as client:
        assert outcomes(job_is(client, job_id, "completed")) == ["completed"]


def test_an_encode_goes_on_while_the_database_crashes(farm: Farm, url: str, postgresql: Server) -> None:
    master = master_of(farm, url)
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, SHORT)
        with halfway(agent, job_id) as ffmpeg:
            postgresql.stop(signal.SIGQUIT)
            assert client.get("/jobs").status_code == 503
            assert client.get("/health").ok
            postgresql.start()
            wait_until(lambda: client.get("/jobs").ok, "the master answers again")
            assert agent.ffmpegs() == [ffmpeg]
        assert outcomes(job_is(client, job_id, "completed")) == ["completed"]


def test_a_second_master_is_refused(farm: Farm, url: str, tmp_path: Path) -> None:
    """Its state directory has other files, archives and webhooks than that of the first."""
    master_of(farm, url)
    ended = run_master(f"--state-dir={tmp_path / 'second'}", f"--port={free_port()}", f"--store={url}")
    assert ended.returncode == 1
    assert "another master uses the database" in ended.stderr


def test_a_database_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    store = "--store=postgresql:///farm?host=/nowhere"
    ended = run_master(f"--state-dir={tmp_path}", f"--port={free_port()}", store)
    assert ended.returncode == 1
    assert "master: PostgreSQL cannot be used: " in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("store", "why"),
    [
        ("mysql://db.example.com/farm", "must begin with postgresql://"),
        ("postgresql://farm:secret@db.example.com/farm", "FFRTMP_STORE"),
    ],
)
def test_a_bad_url_is_refused(store: str, why: str) -> None:
    ended = run_master(f"--store={store}")
    assert ended.returncode == 2
    assert why in " ".join(ended.stderr.split())
