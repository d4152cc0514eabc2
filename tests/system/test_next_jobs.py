"""An agent asks for its first jobs, and gets the others that wait with the answers to its reports."""

from __future__ import annotations

from tests.metrics.support import scrape
from tests.system.farm import TINY, Farm, job_is, outcomes, submit

JOBS = 6
SLOTS = 2
COUNTED = "ffrtmp_http_request_seconds_count"


def test_jobs_that_wait_come_without_a_poll(farm: Farm) -> None:
    master = farm.master()
    with master.client() as client:
        job_ids = [submit(client, TINY) for _ in range(JOBS)]
        farm.agent(master, f"--max-concurrent-jobs={SLOTS}")
        done = [job_is(client, job_id, "completed") for job_id in job_ids]
        answered = {
            route: scrape(client).value(COUNTED, route=route, method=method, status="2xx")
            for method, route in (("GET", "/jobs/next"), ("POST", "/results"))
        }
    assert [outcomes(job) for job in done] == [["completed"]] * JOBS
    # The last reports are answered without a job. Only then it polls again, and that waits.
    assert answered["/results"] == JOBS
    assert (answered["/jobs/next"] or 0) <= SLOTS
