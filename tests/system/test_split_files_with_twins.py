"""A chunk that stands still on one node is encoded again by another; the file is what it is without that."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.masters import Client, wait_until
from tests.metrics.support import scrape
from tests.split.pieces import decoded
from tests.system.farm import TINY, Agent, Farm, halfway, job, job_is, node, outcomes, submit
from tests.system.splitting import (
    FILM,
    SLOW,
    attempts,
    chunk_on,
    has_nothing_to_do,
    make_film,
    nothing_is_stored,
    parts_of,
    twin_on,
    twins_of,
    worker,
)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A media root with a film of eight seconds."""
    return make_film(tmp_path / "media", seconds=8).parent


def pair(farm: Farm, media: Path, **flags: Any) -> tuple[Client, Agent, Agent]:
    """Two nodes with labels, of which the second one is to become slow."""
    master = farm.master(**flags)
    agents = [
        worker(farm, master, media, name, f"--label=name={name}", "--heartbeat-interval=1s")
        for name in ("fast", "slow")
    ]
    for agent in agents:
        agent.says("Registered with", 40)
    return master.client(), agents[0], agents[1]


def is_gone(pid: int) -> bool:
    """Whether a process has ended, also one that nobody has buried yet."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def works(client: Client, agent: Agent) -> None:
    """Fails the test unless the node gets other jobs and finishes them, and nothing is held against it."""
    wanted = {"labels": {"name": agent.name}}
    job_is(client, submit(client, TINY, constraints=wanted), "completed")
    assert node(client, agent.node_id)["status"] == "available"
    assert node(client, agent.node_id)["quarantined"] is None


def counts_once(client: Client, job_id: str, first: dict[str, Any], twin: dict[str, Any]) -> None:
    """Fails the test unless the file has each of its parts once, this one by its twin."""
    done = job_is(client, job_id, "completed", 120)
    assert outcomes(done) == ["divided", "completed"]
    assert set(twins_of(client, job_id)) == {first["id"]}
    found = attempts(client, job_id)
    assert found.pop(first["part"]) == ["canceled"]
    assert {tuple(ended) for ended in found.values()} == {("completed",)}
    given_up = job(client, first["id"])["attempts"][0]["error"]
    assert given_up["code"] == "canceled"
    assert given_up["message"] == f"its twin, job {twin['id']}, was completed first"
    result = client.get(f"/jobs/{job_id}/result").json()
    assert result["metrics"]["chunks"] == len([name for name in found if name != "sound"]) + 1
    assert [text for text in result["warnings"] if "run twice" in text] == [
        "1 part was run twice; what the attempts used that were given up for it is in no sum"
    ]
    assert parts_of(client, job_id)[first["part"]]["status"] == "completed"


def test_an_ffmpeg_that_stands_still_is_overtaken_and_ended(farm: Farm, media: Path) -> None:
    client, fast, slow = pair(farm, media)
    with client:
        alone = submit(client, SLOW, input=FILM, output="media:films/alone.mp4")
        job_is(client, alone, "completed", 120)
        assert twins_of(client, alone) == {}
        job_id = submit(client, SLOW, input=FILM, output="media:films/small.mp4")
        first = chunk_on(client, job_id, slow)
        with halfway(slow, first["id"]) as pid:
            twin = twin_on(client, job_id, first, fast)
            job_is(client, twin["id"], "completed", 60)
            wait_until(lambda: is_gone(pid), "the ffmpeg that stood still was ended")
        counts_once(client, job_id, first, twin)
        assert decoded(media / "small.mp4") == 200
        assert (media / "small.mp4").read_bytes() == (media / "alone.mp4").read_bytes()
        nothing_is_stored(client)
        has_nothing_to_do(slow)
        works(client, slow)
        ended = scrape(client).value("ffrtmp_jobs_finished_total", scenario="480p30-h264", status="completed")
        assert ended == 2 * (1 + 5) + 1  # two files of four chunks with their sound, and a job
        assert scrape(client).value("ffrtmp_attempt_failures_total", code="canceled") == 0


def test_a_node_that_stood_still_hears_that_its_chunk_is_done_and_works_on(farm: Farm, media: Path) -> None:
    client, fast, slow = pair(farm, media, lease="60s", heartbeat_timeout="60s")
    with client:
        job_id = submit(client, SLOW, input=FILM, output="media:films/small.mp4")
        first = chunk_on(client, job_id, slow)
        with halfway(slow, first["id"]) as pid:
            slow.signal(signal.SIGSTOP)
            try:
                twin = twin_on(client, job_id, first, fast)
                counts_once(client, job_id, first, twin)
                assert not is_gone(pid)
            finally:
                os.kill(pid, signal.SIGCONT)  # before its agent can say anything
                slow.signal(signal.SIGCONT)
        has_nothing_to_do(slow)
        assert decoded(media / "small.mp4") == 200
        works(client, slow)
        nothing_is_stored(client)
        assert not list(slow.work_dir.glob(f"{first['id']}*"))
