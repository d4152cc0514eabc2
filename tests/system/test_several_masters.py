"""Masters with one database and one directory are one farm: any of them answers, and any may be killed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest

from tests.api.corner import got
from tests.balancer import Balancer
from tests.databases import Server
from tests.files.support import begin, content, send, sha256_of, store
from tests.masters import Client, Master, free_port, run_master, start_master, wait_until
from tests.system.farm import HERE, SHORT, TINY, Farm, halfway, job_is, outcomes, submit

Start = Callable[..., Master]


@pytest.fixture
def url(postgresql: Server) -> str:
    return postgresql.new_schema()


@pytest.fixture
def start(url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts another master of the same farm, by its name."""
    started: list[Master] = []

    def another(name: str, **flags: str) -> Master:
        started.append(start_master(tmp_path / name, store=url, shared_dir=tmp_path / "shared", **flags))
        return started[-1]

    yield another
    for master in started:
        if master.process.poll() is None:
            assert master.stop() == 0
        assert "Traceback" not in master.log.read_text()


@pytest.fixture
def masters(start: Start) -> list[Master]:
    return [start("north"), start("south")]


@pytest.fixture
def clients(masters: list[Master]) -> Iterator[list[Client]]:
    with ExitStack() as stack:
        yield [stack.enter_context(master.client()) for master in masters]


def test_whoever_trusts_one_of_them_trusts_all_and_the_operator_has_one_token(
    start: Start, tmp_path: Path
) -> None:
    north, south = start("north", auth="required"), start("south", auth="required")
    token = (tmp_path / "shared/operator.token").read_text().strip()
    assert not list(tmp_path.glob("*/tls/ca-key.pem"))
    assert north.ca.read_bytes() == south.ca.read_bytes() == (tmp_path / "shared/ca/ca.pem").read_bytes()
    for master, other in ((north, south), (south, north)):
        with Client(master.url, other.ca, token) as client:
            assert client.get("/nodes").status_code == 200
        with Client(master.url, other.ca) as client:
            assert client.get("/nodes").status_code == 401
            assert got(client.get("/health"))["status"] == "healthy"


def test_a_job_of_one_is_done_by_an_agent_of_another_and_read_at_the_first(
    clients: list[Client], masters: list[Master], farm: Farm
) -> None:
    here, there = clients
    agent = farm.agent(masters[1])
    agent.says("Registered with")
    job_id = submit(here, TINY)  # an agent that waits at the other one is woken
    assert outcomes(job_is(here, job_id, "completed")) == ["completed"]
    result = got(here.get(f"/jobs/{job_id}/result"))
    assert result == got(there.get(f"/jobs/{job_id}/result"))
    logs = [client.get(f"/jobs/{job_id}/logs").text for client in clients]
    assert logs[0] == logs[1]
    assert "ffmpeg" in logs[0]


def test_a_file_that_came_to_one_is_encoded_read_and_removed_at_another(
    clients: list[Client], masters: list[Master], farm: Farm, tmp_path: Path
) -> None:
    here, there = clients
    film = tmp_path / "film.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=30:duration=1"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *picture, str(film)], check=True)
    sha256 = store(here, film.read_bytes(), name="film.mp4")["sha256"]
    farm.agent(masters[1])
    job_id = submit(there, {"preset": "ultrafast", "width": 320, "height": 180}, input=f"file:{sha256}")
    assert here.delete(f"/files/{sha256}").json()["type"].endswith("file_in_use")
    job_is(here, job_id, "completed")
    assert got(there.get("/files"))["files"] == got(here.get("/files"))["files"]
    assert there.get(f"/files/{sha256}").content == film.read_bytes()
    assert there.delete(f"/files/{sha256}").status_code == 204
    for client in clients:
        assert client.get(f"/files/{sha256}").status_code == 404


def test_an_upload_goes_on_at_whichever_master_gets_its_next_piece(clients: list[Client]) -> None:
    data, piece = content(2_000_000, "pieces"), 250_000
    upload_id = begin(clients[0], data)["id"]
    assert begin(clients[1], data)["id"] == upload_id
    for turn, offset in enumerate(range(0, len(data), piece)):
        client = clients[turn % 2]
        assert got(client.get(f"/files/uploads/{upload_id}"))["offset"] == offset
        got(send(client, upload_id, offset, data[offset : offset + piece]))
    for client in clients:
        wait_until(lambda client=client: begin(client, data)["file"], "the file is stored")  # type: ignore[misc]
        assert client.get(f"/files/{sha256_of(data)}").content == data


def test_a_master_is_killed_and_its_agent_goes_on_with_the_other(
    masters: list[Master], clients: list[Client], farm: Farm
) -> None:
    killed, left = masters
    balancer = Balancer([killed.port])
    try:
        agent = farm.agent(balancer.url, how=("--register", f"--ca-cert={killed.ca}", *HERE))
        job_ids = [submit(clients[1], SHORT), submit(clients[1], TINY)]
        with halfway(agent, job_ids[0]) as ffmpeg:
            balancer.ports.append(left.port)
            killed.kill()
            assert agent.ffmpegs() == [ffmpeg]
        for job_id in job_ids:
            assert outcomes(job_is(clients[1], job_id, "completed")) == ["completed"]
        assert [each["status"] for each in got(clients[1].get("/nodes"))["nodes"]] == ["available"]
    finally:
        balancer.close()


def test_a_master_without_the_directory_and_one_with_another_are_refused(
    start: Start, url: str, tmp_path: Path
) -> None:
    master = start("north")
    flags = (f"--state-dir={tmp_path / 'third'}", f"--port={free_port()}", f"--store={url}")
    alone = run_master(*flags)
    assert (alone.returncode, "--shared-dir" in alone.stderr) == (1, True)
    elsewhere = run_master(*flags, f"--shared-dir={tmp_path / 'elsewhere'}")
    assert (elsewhere.returncode, "Is it mounted?" in elsewhere.stderr) == (1, True)
    assert master.process.poll() is None


def test_a_shared_directory_is_of_no_use_without_a_database(tmp_path: Path) -> None:
    ended = run_master(f"--shared-dir={tmp_path}")
    assert ended.returncode == 2
    assert "--store" in ended.stderr
