"""A stream is submitted, given to a node that may send it, and reported; its key is printed nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.masters import wait_until
from tests.streams.servers import Nginx
from tests.system.farm import Farm, job, job_is, node, submit

KEY = "stream-key-5e0d1b"
SMALL = {"width": 160, "height": 90, "fps": 15, "bitrate": "200k", "preset": "ultrafast", "duration": 3}


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    server = Nginx(tmp_path / "nginx")
    yield server
    server.kill()


def command_lines() -> str:
    """Those of all processes, as every user of the machine can see them."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(entry.read_text(errors="replace"))
        except OSError:  # it has just ended
            continue
    return "\n".join(lines)


def test_a_stream_from_submit_to_result(farm: Farm, nginx: Nginx) -> None:
    url = nginx.url(KEY)
    shown = url.replace(KEY, "***")
    host = f"rtmp://127.0.0.1:{nginx.port}"
    master = farm.master(max_attempts=1)
    with master.client() as client:
        job_id = submit(client, SMALL, output=url)
        other = farm.agent(master, name="another")
        wait_until(lambda: "no node may stream to" in job(client, job_id)["pending_reason"], "it waits")
        agent = farm.agent(master, f"--output-host={host}", "--allow-private-outputs")
        assert node(client, agent.node_id)["output_hosts"] == [host]
        job_is(client, job_id, "running")
        wait_until(lambda: f"publish: name='{KEY}'" in nginx.log, "it is published")
        assert KEY not in command_lines()
        found = job_is(client, job_id, "completed")
        assert (found["output"], found["node_id"]) == (shown, agent.node_id)
        result = client.get(f"/jobs/{job_id}/result").json()
        assert (result["metrics"]["frames"], result["metrics"]["dropped_frames"]) == (45, 0)
        assert result["metrics"]["output_path"] is None
        answers = [client.get(path).text for path in ("/jobs", f"/jobs/{job_id}/logs", "/audit")]
        assert KEY not in f"{answers}{result}{found}"
        assert client.get("/jobs").json()["jobs"][0]["output"] == shown
    assert KEY not in master.log.read_text() + agent.log + other.log
