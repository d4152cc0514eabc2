"""An ffmpeg that is killed from outside is no result: the job is tried again."""

from __future__ import annotations

import os
import signal

from tests.system.farm import ENDLESS, Farm, encoding, job_is, outcomes, submit


def test_a_killed_ffmpeg_uses_up_an_attempt_and_no_more(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, ENDLESS)
        os.kill(encoding(agent, job_id), signal.SIGKILL)
        agent.says("(encoder_killed)")
        waiting = job_is(client, job_id, "pending")
        assert outcomes(waiting) == ["failed"]
        assert waiting["attempts"][0]["error"]["code"] == "encoder_killed"
        assert "next attempt" in waiting["pending_reason"]
        assert not (agent.work_dir / job_id).exists()


def test_a_job_fails_when_its_last_attempt_was_killed(farm: Farm) -> None:
    master = farm.master(max_attempts=1)
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, ENDLESS)
        os.kill(encoding(agent, job_id), signal.SIGKILL)
        failed = job_is(client, job_id, "failed")
        assert failed["error"]["code"] == "encoder_killed"
        assert client.get(f"/jobs/{job_id}/result").json()["metrics"]["ffmpeg_version"]
