"""An agent that dies takes its ffmpeg along, and its job is done by whoever comes next."""

from __future__ import annotations

from tests.masters import wait_until
from tests.system.farm import (
    ENDLESS,
    SHORT,
    Farm,
    encoding,
    file_of,
    halfway,
    job_is,
    node_is,
    outcomes,
    submit,
)


def test_no_ffmpeg_outlives_its_agent(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        encoding(agent, submit(client, ENDLESS))
    agent.kill()
    wait_until(lambda: not agent.ffmpegs(), "its ffmpeg is gone", 5)


def test_another_agent_does_the_job_of_one_that_died(farm: Farm) -> None:
    master = farm.master(heartbeat_timeout="2s", lease="2s")
    first = farm.agent(master, "--heartbeat-interval=500ms", name="first")
    with master.client() as client:
        job_id = submit(client, SHORT)
        with halfway(first, job_id):
            second = farm.agent(master, "--heartbeat-interval=500ms", name="second")
            node_is(client, second.node_id, "available")
            first.kill()
        done = job_is(client, job_id, "completed")
        assert outcomes(done) == ["lost", "completed"]
        assert [attempt["node_id"] for attempt in done["attempts"]] == [first.node_id, second.node_id]
        assert file_of(second, job_id).stat().st_size > 0
        node_is(client, first.node_id, "offline")


def test_an_agent_started_again_tries_its_job_anew(farm: Farm) -> None:
    master = farm.master(heartbeat_timeout="1h", lease="1h")
    first = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, SHORT)
        with halfway(first, job_id):
            first.kill()
        again = farm.agent(master, how=())
        assert again.node_id == first.node_id
        done = job_is(client, job_id, "completed")
        assert outcomes(done) == ["lost", "completed"]
        assert done["attempts"][0]["error"]["code"] == "agent_restarted"
        assert done["retry_count"] == 1
        assert [file.name for file in (again.work_dir / job_id).iterdir()] == ["480p30-h264.mp4"]
