"""The log of a job that really runs is heard while ffmpeg writes it, and ends with the job."""

from __future__ import annotations

from tests.live.listening import Listener, as_client
from tests.system.farm import ENDLESS, Farm, job, job_is, submit


def test_lines_are_heard_before_the_job_is_finished(farm: Farm) -> None:
    master = farm.master()
    farm.agent(master)
    with master.client() as client:
        job_id = submit(client, ENDLESS)
        log = Listener(as_client(master).follow_log(job_id))
        events = Listener(as_client(master).events(after=0, job_id=job_id))
        log.hears(lambda message: message.name == "line", "a line is heard", 60)
        events.hears(lambda message: message.name == "progress", "progress is heard", 60)
        assert job(client, job_id)["status"] == "running"
        client.post(f"/jobs/{job_id}/cancel")
        job_is(client, job_id, "canceled")
        messages = log.ends(30)
        lines = client.get(f"/jobs/{job_id}/logs").json()["lines"]
    assert (messages[-1].name, messages[-1].data) == ("end", {"status": "canceled"})
    assert [message.data["line"] for message in messages[:-1]] == lines[: len(messages) - 1]
    events.hears_of(event="job_canceled")
    assert [name for name in events.names if name != "progress"] == [
        "job_submitted",
        "job_claimed",
        "job_canceled",
    ]
