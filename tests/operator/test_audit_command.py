"""`ffrtmp audit` shows who did what, for people and for programs."""

from __future__ import annotations

from pathlib import Path

from tests.api.corner import Corner, got
from tests.masters import Client, Master, start_master
from tests.operator.conftest import Ffrtmp


def test_people_see_who_canceled_a_job(ffrtmp: Ffrtmp, client: Client) -> None:
    job_id = Corner(client).submit()["id"]
    got(client.post(f"/jobs/{job_id}/cancel"))
    done = ffrtmp("audit", "--job", job_id)
    head, canceled, submitted = done.stdout.splitlines()
    assert head.split() == ["AT", "BY", "FROM", "EVENT", "ID", "DETAILS"]
    assert canceled.split()[1:] == ["operator", "127.0.0.1", "job_canceled", job_id]
    assert "scenario: 720p-h264" in submitted


def test_programs_get_the_entries_as_the_api_has_them(ffrtmp: Ffrtmp, client: Client) -> None:
    job_id = Corner(client).submit()["id"]
    wanted = {"job_id": job_id, "event": "job_submitted", "by": "operator"}
    found = ffrtmp.json(
        "audit", "--job", job_id, "--event", "job_submitted", "--by", "operator", "--since", "24h"
    )
    assert found == got(client.get("/audit", params=wanted))["entries"]
    assert len(found) == 1


def test_the_limit_holds_over_pages(tmp_path: Path) -> None:
    master = start_master(tmp_path / "master")  # other tests list all jobs of the shared one
    try:
        with master.client() as client:
            got(client.post("/jobs/batch", json={"jobs": [{"scenario": "720p-h264"}] * 1100}), 201)
        ffrtmp = Ffrtmp(master.url, tmp_path)
        assert len(ffrtmp.json("audit", "--event", "job_submitted", "--limit", "1050")) == 1050
        assert len(ffrtmp.json("audit")) == 50
    finally:
        master.stop()


def test_an_unknown_event_is_refused_with_those_that_there_are(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("audit", "--event", "exploded")
    assert done.returncode == 1
    assert "job_canceled" in done.stderr


def test_a_time_that_is_none_is_a_usage_error(ffrtmp: Ffrtmp) -> None:
    assert ffrtmp("audit", "--since", "yesterday").returncode == 2
    assert ffrtmp("audit", "--since", "99999999d").returncode == 2


def test_what_is_damaged_is_said_beside_what_is_found(ffrtmp: Ffrtmp, master: Master) -> None:
    path = master.state_dir / "audit" / "0000000000000001.jsonl.gz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"damaged")
    try:
        done = ffrtmp("audit", "--limit", "1000000")
    finally:
        path.unlink()
    assert done.returncode == 0
    assert f"Entries are missing: {path} is damaged at offset 0" in done.stderr
    assert "master_started" in done.stdout


def test_nothing_found_is_said(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("audit", "--by", "nobody")
    assert (done.stdout, done.stderr.splitlines()[-1]) == ("", "The audit has no such entry.")
