"""`ffrtmp jobs pause|resume` and `ffrtmp queue` hold jobs back and let them go."""

from __future__ import annotations

from tests.operator.conftest import Ffrtmp


def test_a_job_is_paused_and_resumed(ffrtmp: Ffrtmp) -> None:
    job_id = ffrtmp("jobs", "submit", "480p-h264").stdout.strip()
    assert ffrtmp("jobs", "pause", job_id).stdout == f"Job {job_id} is paused.\n"
    assert job_id in ffrtmp("jobs", "list", "--status", "paused").stdout
    assert ffrtmp("jobs", "resume", job_id).stdout == f"Job {job_id} is not held back; it is pending.\n"


def test_the_queue_is_paused_and_resumed(ffrtmp: Ffrtmp) -> None:
    assert ffrtmp("queue", "pause").stdout.startswith("The queue is paused: ")
    assert "paused: True" in ffrtmp("queue", "show").stdout
    assert ffrtmp("queue", "resume").stdout.startswith("The queue goes on: ")
    assert ffrtmp.json("queue", "show")["paused"] is False
