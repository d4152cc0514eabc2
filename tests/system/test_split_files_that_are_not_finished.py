"""A split file that fails or is canceled ends with all its parts, says why, and leaves nothing."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.system.farm import Farm, halfway, job, job_is, outcomes, submit
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


def test_a_chunk_that_cannot_be_encoded_fails_the_job_with_its_reason(farm: Farm, media: Path) -> None:
    damaged(make_film(media, "-c:v", "mjpeg", "-q:v", "10"), 20)
    master = farm.master(max_attempts=1)
    worker(farm, master, media, "one")
    with master.client() as client:
        job_id = submit(client, SLOW, input=FILM, output="media:films/small.mp4")
        found = job_is(client, job_id, "failed", 90)
        assert found["error"]["code"] == "input_invalid"
        assert found["error"]["message"].startswith("part chunk-001: the input is damaged")
        ended = {name: part["status"] for name, part in parts_of(client, job_id).items()}
        assert ended.pop("chunk-001") == "failed"
        assert "canceled" in set(ended.values()) <= {"canceled", "completed"}
        nothing_is_stored(client)
    assert not (media / "small.mp4").exists()


def test_canceling_the_job_ends_every_part_at_once(farm: Farm, media: Path) -> None:
    make_film(media)
    master = farm.master()
    agents = two(farm, master, media)
    with master.client() as client:
        job_id = submit(client, SLOW, input=FILM, output="media:films/small.mp4")
        with halfway(agents[0], chunk_on(client, job_id, agents[0])["id"]):
            assert client.post(f"/jobs/{job_id}/cancel").ok
            ended = {part["status"] for part in parts_of(client, job_id).values()}
            assert "canceled" in ended <= {"canceled", "completed"}
        for agent in agents:
            has_nothing_to_do(agent)
        assert job(client, job_id)["status"] == "canceled"
        nothing_is_stored(client)
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
