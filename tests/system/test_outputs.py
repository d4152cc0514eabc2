"""An output goes where its job wants it, once; what stands against it is told, and nothing is lost."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest

from tests.masters import Client, wait_until
from tests.system.farm import SHORT, TINY, Farm, encoding, job, job_is, node, submit


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=192x128:rate=25"]
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-v", "error", *picture, "-t", "0.5", str(file)], check=True)
    return file.read_bytes()


def failure(client: Client, **more: str) -> tuple[str, str]:
    """The code and the sentence that a job fails with."""
    parameters = {**TINY, "overwrite": True} if more.pop("overwrite", None) else TINY
    error = job_is(client, submit(client, parameters, **more), "failed")["error"]
    return error["code"], error["message"]


def test_it_is_written_below_a_media_root_and_never_over_what_is_there(
    farm: Farm, film: bytes, tmp_path: Path
) -> None:
    root = tmp_path / "media"
    root.mkdir()
    source = os.fsencode(root) + b"/caf\xe9 \n.mp4"
    Path(os.fsdecode(source)).write_bytes(film)
    master = farm.master(max_attempts=1)
    agent = farm.agent(master, f"--media-root=films={root}", f"--output-root=finished={root}")
    with master.client() as client:
        place = r"media:finished/2024/caf\xe9 \x0a.mp4"
        first = submit(client, TINY, input=r"media:films/caf\xe9 \x0a.mp4", output=place)
        assert job_is(client, first, "completed")["output"] == place
        (artifact,) = client.get(f"/jobs/{first}/result").json()["artifacts"]
        written = Path(os.fsdecode(os.fsencode(root) + b"/2024/caf\xe9 \n.mp4")).read_bytes()
        assert artifact["location"] == place
        assert (artifact["size"], artifact["sha256"]) == (len(written), hashlib.sha256(written).hexdigest())
        assert failure(client, output=place) == (
            "output_exists",
            r"'2024/caf\xe9 \x0a.mp4' below the media root 'finished' is there already; "
            "choose another name, or ask to overwrite it",
        )
        job_is(client, submit(client, {**TINY, "overwrite": True}, output=place), "completed")
        onto_itself = r"caf\xe9 \x0a.mp4"
        refused = failure(
            client,
            input=f"media:films/{onto_itself}",
            output=f"media:finished/{onto_itself}",
            overwrite="yes",
        )
        assert refused[0] == "output_refused"
        assert Path(os.fsdecode(source)).read_bytes() == film
        found = node(client, agent.node_id)
        assert (found["output_roots"], found["status"]) == (["finished"], "available")
        elsewhere = submit(client, TINY, output="media:news/a.mp4")
        assert job(client, elsewhere)["pending_reason"] == "no node writes to the media root 'news'"
    assert list(agent.work_dir.iterdir()) == []


def test_of_an_agent_that_was_killed_nothing_stays_and_the_job_is_done_by_the_next(
    farm: Farm, tmp_path: Path
) -> None:
    root = tmp_path / "finished"
    root.mkdir()
    master = farm.master()
    flags = (f"--output-root=finished={root}",)
    agent = farm.agent(master, *flags)
    with master.client() as client:
        job_id = submit(client, SHORT, output="media:finished/a.mp4")
        encoding(agent, job_id)
        agent.kill()
        farm.agent(master, *flags)
        job_is(client, job_id, "completed")
    wait_until(lambda: [path.name for path in root.iterdir()] == ["a.mp4"], "nothing else is there")


def test_a_root_that_cannot_be_written_keeps_the_agent_from_starting(farm: Farm, tmp_path: Path) -> None:
    agent = farm.agent(farm.master(), f"--output-root=finished={tmp_path}/nothing")
    assert agent.ends() == 1
    assert "agent: the output root finished (" in agent.log
