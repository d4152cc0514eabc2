"""A split file that fails or is canceled ends with all its parts, says why, and leaves nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import av
import pytest

from tests.masters import Client, wait_until
from tests.system.farm import Agent, Farm, halfway, job, job_is, node, outcomes, submit
from tests.system.splitting import (
    FILM,
    SLOW,
    SPLIT,
    chunk_on,
    has_nothing_to_do,
    make_film,
    nothing_is_stored,
    parts_of,
    two,
    worker,
)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """An empty media root."""
    media = tmp_path / "media"
    media.mkdir()
    return media


def damaged(film: Path, number: int) -> None:
    """Makes one picture of a film unreadable, whose packets stay as they were."""
    with av.open(str(film)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][number]
        assert packet.pos is not None
        begin, size = packet.pos, packet.size
    with film.open("r+b") as file:
        file.seek(begin)
        file.write(bytes(size))


def ended(client: Client, agents: Sequence[Agent], job_id: str) -> None:
    """Fails the test unless all parts have ended, and nothing of them is anywhere."""
    statuses = {part["status"] for part in parts_of(client, job_id).values()}
    assert statuses <= {"completed", "failed", "canceled"}
    nothing_is_stored(client)
    for agent in agents:
        has_nothing_to_do(agent)
        wait_until(partial(has_nothing_left, agent), f"{agent.name} has nothing of it left")


def has_nothing_left(agent: Agent) -> bool:
    """Whether no file is in its work directory."""
    return not any(files for _, _, files in os.walk(agent.work_dir))


def test_a_chunk_that_cannot_be_encoded_fails_the_job_with_its_reason(farm: Farm, media: Path) -> None:
    damaged(make_film(media, "-c:v", "mjpeg", "-q:v", "10"), 20)
    master = farm.master(max_attempts=1)
    agent = worker(farm, master, media, "one")
    with master.client() as client:
        job_id = submit(client, SLOW, input=FILM, output="media:films/small.mp4")
        found = job_is(client, job_id, "failed", 90)
        assert found["error"]["code"] == "input_invalid"
        assert found["error"]["message"].startswith("part chunk-001: the input is damaged")
        statuses = {name: part["status"] for name, part in parts_of(client, job_id).items()}
        assert statuses.pop("chunk-001") == "failed"
        assert "canceled" in set(statuses.values()) <= {"canceled", "completed"}
        ended(client, [agent], job_id)
    assert not (media / "small.mp4").exists()


def test_an_input_that_is_gone_before_all_chunks_began_fails_the_job(farm: Farm, media: Path) -> None:
    film = make_film(media)
    master = farm.master(max_attempts=1)
    agents = two(farm, master, media)
    with master.client() as client:
        job_id = submit(client, SLOW, input=FILM, output="media:films/small.mp4")
        with halfway(agents[0], chunk_on(client, job_id, agents[0])["id"]):
            film.unlink()
        found = job_is(client, job_id, "failed", 60)
        assert found["error"]["code"] == "input_missing"
        assert re.match(r"part (chunk-\d+|sound): .*film\.mp4", found["error"]["message"])
        ended(client, agents, job_id)
        assert {node(client, agent.node_id)["quarantined"] for agent in agents} == {None}
    assert list(media.iterdir()) == []


@pytest.mark.parametrize(("nodes", "part"), [(2, r"part (chunk-\d+|sound): "), (1, "")])
def test_a_file_store_that_is_full_fails_the_job_and_says_so(
    farm: Farm, media: Path, nodes: int, part: str
) -> None:
    """Of the chunks; or, if only one node sees the input, of that, which is to be handed on."""
    make_film(media)
    master = farm.master(files_quota="8K")
    agents = two(farm, master, media) if nodes == 2 else [worker(farm, master, media, "one")]
    with master.client() as client:
        job_id = submit(client, SPLIT, input=FILM, output="media:films/small.mp4")
        found = job_is(client, job_id, "failed", 60)
        assert re.match(part + "the file store does not take .*--files-quota", found["error"]["message"])
        ended(client, agents, job_id)
    assert [file.name for file in media.iterdir()] == ["film.mp4"]


def test_canceling_the_job_ends_every_part_at_once(farm: Farm, media: Path) -> None:
    make_film(media)
    master = farm.master()
    agents = two(farm, master, media)
    with master.client() as client:
        job_id = submit(client, SLOW, input=FILM, output="media:films/small.mp4")
        with halfway(agents[0], chunk_on(client, job_id, agents[0])["id"]):
            assert client.post(f"/jobs/{job_id}/cancel").ok
            statuses = {part["status"] for part in parts_of(client, job_id).values()}
            assert "canceled" in statuses <= {"canceled", "completed"}
        assert job(client, job_id)["status"] == "canceled"
        ended(client, agents, job_id)
    assert not (media / "small.mp4").exists()


def test_what_cannot_be_divided_is_encoded_whole_and_says_why(farm: Farm, media: Path) -> None:
    make_film(media, "-c:v", "mpeg4", name="film.avi", seconds=4)
    master = farm.master()
    worker(farm, master, media, "one")
    with master.client() as client:
        job_id = submit(client, SPLIT, input="media:films/film.avi", output="media:films/small.mp4")
        done = job_is(client, job_id, "completed", 60)
        assert outcomes(done) == ["divided", "completed"]
        assert parts_of(client, job_id) == {}
        result = client.get(f"/jobs/{job_id}/result").json()
        assert result["metrics"]["frames"] == 100
        assert "its format avi does not say a time for each picture" in result["metrics"]["split_note"]
        assert result["metrics"]["split_note"] in result["warnings"]
        nothing_is_stored(client)
