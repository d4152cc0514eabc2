"""`ffrtmp jobs`, `results` and `scenarios` do what curl does, with less typing."""

from __future__ import annotations

from common.scenarios import CATALOGUE
from tests.masters import Client
from tests.operator.conftest import Ffrtmp


def test_a_submitted_job_prints_its_id_and_asks_for_what_was_typed(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp(
        "jobs", "submit", "720p-h264", "-p", "duration=2.5", "-p", "bitrate=800k", "-p", "gop=30",
        "--priority", "high", "--confidence", "low", "--label", "site=a",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    job = ffrtmp.json("jobs", "show", done.stdout.strip())
    assert job["parameters"] == {"duration": 2.5, "bitrate": "800k", "gop": 30}
    assert (job["priority"], job["confidence"], job["constraints"]["labels"]) == (
        "high",
        "low",
        {"site": "a"},
    )


def test_a_job_is_canceled_and_retried(ffrtmp: Ffrtmp) -> None:
    job_id = ffrtmp("jobs", "submit", "480p-h264").stdout.strip()
    assert ffrtmp("jobs", "cancel", job_id).stdout == f"Job {job_id} is canceled.\n"
    assert job_id in ffrtmp("jobs", "list", "--status", "canceled").stdout
    again = ffrtmp("jobs", "retry", job_id).stdout.strip()
    assert ffrtmp.json("jobs", "show", again)["retry_of"] == job_id


def test_a_finished_job_has_a_log_and_a_result(client: Client, ffrtmp: Ffrtmp) -> None:
    label = {"for": "results"}
    node = {"address": "n", "labels": label, "run_unlabeled": False}
    node_id = client.post("/nodes/register", json=node).json()["id"]
    job = {"scenario": "480p-h264", "constraints": {"labels": label}}
    job_id = client.post("/jobs", json=job).json()["id"]
    assert client.get(f"/jobs/next?node_id={node_id}").json()["id"] == job_id
    report = {
        "job_id": job_id,
        "node_id": node_id,
        "metrics": {"frames": 300, "fps": 61.5},
        "log": ["said so"],
    }
    assert client.post("/results", json=report).status_code == 200
    assert ffrtmp("jobs", "logs", job_id).stdout == "said so\n"
    assert "61.5" in ffrtmp("results").stdout
    assert "frames: 300" in ffrtmp("results", job_id).stdout


def test_a_codec_that_a_container_does_not_hold_is_called_a_codec(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("jobs", "submit", "480p-h264", "-p", "container=webm")
    assert done.stderr.splitlines()[-1] == (
        "Error: parameters.container: codec 'h264' does not go with webm; use one of: vp9, av1"
    )


def test_a_warning_is_seen_in_the_table_and_on_a_line_of_its_own(client: Client, ffrtmp: Ffrtmp) -> None:
    label = {"for": "warnings"}
    node = {"address": "n", "labels": label, "run_unlabeled": False}
    node_id = client.post("/nodes/register", json=node).json()["id"]
    job = {"scenario": "480p-h264", "constraints": {"labels": label}}
    job_id = client.post("/jobs", json=job).json()["id"]
    assert client.get(f"/jobs/next?node_id={node_id}").json()["id"] == job_id
    warnings = ["its end is missing, 2 s", "no fonts"]
    report = {
        "job_id": job_id,
        "node_id": node_id,
        "metrics": {"frames": 3},
        "findings": {"warnings": warnings},
    }
    assert client.post("/results", json=report).status_code == 200
    assert "its end is missing, 2 s; no fonts" in ffrtmp("results").stdout
    shown = ffrtmp("results", job_id).stdout.splitlines()
    assert shown[-3:] == ["warnings:", "  its end is missing, 2 s", "  no fonts"]


def test_every_scenario_is_listed(ffrtmp: Ffrtmp) -> None:
    shown = ffrtmp("scenarios").stdout
    assert all(scenario.name in shown for scenario in CATALOGUE)


def test_what_the_master_refuses_is_one_clear_line(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("jobs", "submit", "720p-h265")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "Error: There is no scenario '720p-h265'. Did you mean 720p"
    )
    done = ffrtmp("jobs", "submit", "720p-h264", "-p", "colour=red")
    assert done.stderr.splitlines()[-1] == "Error: parameters.colour: Unknown field."


def test_a_preset_that_looks_like_a_number_stays_a_name(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("jobs", "submit", "480p30-av1", "-p", "preset=5", "-p", "crf=30")
    assert done.returncode == 0, done.stderr
    assert ffrtmp.json("jobs", "show", done.stdout.strip())["parameters"] == {"preset": "5", "crf": 30}


def test_what_is_no_number_is_refused_by_name(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("jobs", "submit", "720p-h264", "-p", "duration=nan")
    assert done.stderr.splitlines()[-1] == "Error: parameters.duration: Not a valid number."


def test_an_empty_id_is_no_id(ffrtmp: Ffrtmp) -> None:
    for command in (("jobs", "show", ""), ("jobs", "cancel", ""), ("nodes", "rm", ""), ("results", "")):
        done = ffrtmp(*command)
        assert done.returncode != 0, command
        assert "empty" in done.stderr
