"""An agent asks for its first jobs, and gets the others that wait with the answers to its reports."""

from __future__ import annotations

from tests.masters import Client, wait_until
from tests.metrics.support import scrape
from tests.system.farm import TINY, Farm, job_is, outcomes, submit

JOBS = 6
SLOTS = 2


def answered(client: Client, method: str, route: str) -> float:
    """How many requests were answered with success."""
    name = "ffrtmp_http_request_seconds_count"
    return scrape(client).value(name, route=route, method=method, status="2xx") or 0


def test_jobs_that_wait_come_without_a_poll(farm: Farm) -> None:
    master = farm.master()
    with master.client() as client:
        job_ids = [submit(client, TINY) for _ in range(JOBS)]
        farm.agent(master, f"--max-concurrent-jobs={SLOTS}")
        done = [job_is(client, job_id, "completed") for job_id in job_ids]
        assert [outcomes(job) for job in done] == [["completed"]] * JOBS
        wait_until(lambda: answered(client, "POST", "/results") == JOBS, "all reports are answered")
        # After the last ones, which brought no job, it polls again, and that poll waits.
        assert answered(client, "GET", "/jobs/next") <= SLOTS
