"""A job canceled while it is encoded: its ffmpeg ends, nothing is left, the node goes on."""

from __future__ import annotations

from tests.masters import wait_until
from tests.system.farm import ENDLESS, TINY, Farm, encoding, job, job_is, submit


def test_a_canceled_encode_ends_and_leaves_nothing(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, ENDLESS)
        encoding(agent, job_id)
        assert list((agent.work_dir / job_id).iterdir())
        assert client.post(f"/jobs/{job_id}/cancel").json()["status"] == "canceled"
        wait_until(lambda: not agent.ffmpegs(), "its ffmpeg ends", 8)
        wait_until(lambda: not (agent.work_dir / job_id).exists(), "its directory is gone", 5)
        job_is(client, submit(client, TINY), "completed")
        assert job(client, job_id)["status"] == "canceled"
    agent.says(f"Job {job_id} was ended: the master does not want it any more")
