"""An agent to whom replies are lost, one after the other, does all its jobs once."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.proxy import Proxy
from tests.masters import wait_until
from tests.system.farm import TINY, Farm, job, outcomes, submit

JOBS = 6


def test_every_job_is_completed_by_its_first_attempt(farm: Farm, open_proxy: Callable[[int], Proxy]) -> None:
    master = farm.master()
    proxy = open_proxy(master.port)
    agent = farm.agent(f"https://localhost:{proxy.port}", "--heartbeat-interval=500ms")
    agent.says("Registered with")
    with master.client() as client:
        job_ids = [submit(client, TINY) for _ in range(JOBS)]

        def done() -> bool:
            return all(job(client, job_id)["status"] == "completed" for job_id in job_ids)

        def lose_one() -> bool:
            """Whatever it is: a job that is handed out, a result that is taken, a lease that is renewed."""
            before = proxy.lost_replies
            with proxy.fault(lose_replies=True):
                wait_until(lambda: proxy.lost_replies > before or done(), "a reply is lost")
            passed = proxy.passed_replies
            wait_until(lambda: proxy.passed_replies > passed or done(), "another one arrives")
            return done()

        wait_until(lose_one, "all jobs are completed", 120)
        assert [outcomes(job(client, job_id)) for job_id in job_ids] == [["completed"]] * JOBS
    assert proxy.lost_replies > JOBS
