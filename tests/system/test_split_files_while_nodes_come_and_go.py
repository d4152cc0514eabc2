"""A split file is finished whatever becomes of the nodes, and only what was touched is done again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.split.pieces import decoded
from tests.system.farm import Farm, halfway, job, job_is, outcomes, submit
from tests.system.splitting import (
    FILM,
    SLOW,
    attempts,
    chunk_on,
    has_nothing_to_do,
    make_film,
    nothing_is_stored,
    parts_of,
    twins_of,
    two,
    worker,
)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A media root with a film of twelve seconds."""
    return make_film(tmp_path / "media").parent


def test_when_an_agent_is_killed_only_its_chunk_is_encoded_again(farm: Farm, media: Path) -> None:
    master = farm.master(heartbeat_timeout="4s", lease="4s")
    one, other = two(farm, master, media, "--heartbeat-interval=500ms")
    with master.client() as client:
        job_id = submit(client, SLOW, input=FILM, output="media:films/small.mp4")
        lost = chunk_on(client, job_id, one)
        with halfway(one, lost["id"]):
            one.kill()
        done = job_is(client, job_id, "completed", 120)
        assert decoded(media / "small.mp4") == 300
        found = attempts(client, job_id)
        # By itself, when its lease has ended; or before that by a twin, if the other one is idle by then.
        twins = [job(client, twin["id"]) for twin in twins_of(client, job_id).values()]
        assert {twin["twin_of"] for twin in twins} <= {lost["id"]}
        again = [*found.pop(lost["part"]), *(each for twin in twins for each in outcomes(twin))]
        assert again in (["lost", "completed"], ["canceled", "completed"])
        assert set(found) == {"sound", *(f"chunk-{n:03}" for n in range(1, 5))} - {lost["part"]}
        assert {tuple(ended) for ended in found.values()} == {("completed",)}
        assert outcomes(done) == ["divided", "completed"]
        by = twins[0] if twins else parts_of(client, job_id)[lost["part"]]
        assert by["node_id"] == other.node_id
        nothing_is_stored(client)


def test_an_agent_that_joins_gets_chunks_and_the_file_is_the_same(farm: Farm, media: Path) -> None:
    master = farm.master()
    one = worker(farm, master, media, "one")
    with master.client() as client:
        by_one = submit(client, SLOW, input=FILM, output="media:films/by-one.mp4")
        job_is(client, by_one, "completed", 120)
        job_id = submit(client, SLOW, input=FILM, output="media:films/by-two.mp4")
        held = chunk_on(client, job_id, one)
        with halfway(one, held["id"]):
            other = worker(farm, master, media, "two")
            taken = chunk_on(client, job_id, other)
            assert taken["part"] != held["part"]
        job_is(client, job_id, "completed", 120)
        assert {part["node_id"] for part in parts_of(client, job_id).values()} == {
            one.node_id,
            other.node_id,
        }
    assert (media / "by-two.mp4").read_bytes() == (media / "by-one.mp4").read_bytes()


def test_while_it_is_paused_no_chunk_begins_and_those_that_run_are_finished(farm: Farm, media: Path) -> None:
    master = farm.master()
    one, other = two(farm, master, media)
    with master.client() as client:
        job_id = submit(client, SLOW, input=FILM, output="media:films/small.mp4")
        mine = chunk_on(client, job_id, one)
        with halfway(one, mine["id"]):
            theirs = chunk_on(client, job_id, other)
            with halfway(other, theirs["id"]):
                assert client.post(f"/jobs/{job_id}/pause").ok
                paused = {
                    name for name, part in parts_of(client, job_id).items() if part["status"] == "paused"
                }
                assert len(paused) >= 2
                assert job(client, job_id)["status"] == "paused"
        for part in (mine, theirs):
            job_is(client, part["id"], "completed")
        for agent in (one, other):
            has_nothing_to_do(agent)
        assert {parts_of(client, job_id)[name]["status"] for name in paused} == {"paused"}
        assert client.post(f"/jobs/{job_id}/resume").ok
        job_is(client, job_id, "completed", 120)
        assert {tuple(ended) for ended in attempts(client, job_id).values()} == {("completed",)}
        assert decoded(media / "small.mp4") == 300
