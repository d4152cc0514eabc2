"""A file below a media root and one on a TLS server are encoded; what is wrong is told in a sentence."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest

from tests.agent.attacks.servers import certificate, redirect, serving, whole
from tests.masters import Client
from tests.system.farm import TINY, Farm, file_of, job, job_is, node, submit

WIDE = {"preset": "ultrafast", "width": 320, "height": 180}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Three seconds with sound, at a rate and size that no scenario has."""
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=256x192:rate=24000/1001"]
    sound = ["-f", "lavfi", "-i", "sine=frequency=300"]
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-v", "error", *picture, *sound, "-t", "3", "-c:a", "aac", str(file)], check=True)
    return file.read_bytes()


def failure(client: Client, source: str) -> tuple[str, str]:
    """The code and the sentence that a job with this input fails with."""
    found = job_is(client, submit(client, TINY, input=source), "failed", 60)
    return found["error"]["code"], found["error"]["message"]


def test_a_file_below_a_media_root_is_encoded(farm: Farm, film: bytes, tmp_path: Path) -> None:
    root = tmp_path / "films"
    (root / "2024").mkdir(parents=True)
    (root / "2024" / "ein Täg; $(x).mp4").write_bytes(film)
    (root / "half.mp4").write_bytes(film[: len(film) // 2])
    (tmp_path / "canary.mp4").write_bytes(film)
    (root / "link.mp4").symlink_to("../canary.mp4")
    master = farm.master(max_attempts=1)
    agent = farm.agent(master, f"--media-root=films={root}")
    with master.client() as client:
        name = "media:films/2024/ein Täg; $(x).mp4"
        whole_, start = submit(client, WIDE, input=name), submit(client, {**WIDE, "duration": 1}, input=name)
        assert job_is(client, whole_, "completed")["input"] == name
        with av.open(str(file_of(agent, whole_))) as file:
            pictures = list(file.decode(video=0))
            assert (pictures[0].width, pictures[0].height, len(pictures)) == (240, 180, 72)
            assert file.streams.audio[0].codec_context.name == "aac"
        job_is(client, start, "completed")
        assert client.get(f"/jobs/{start}/result").json()["metrics"]["frames"] == 24
        assert failure(client, "media:films/nothing.mp4") == (
            "input_missing",
            "there is no 'nothing.mp4' below the media root 'films'",
        )
        assert failure(client, "media:films/link.mp4")[0] == "input_refused"
        assert failure(client, "media:films/half.mp4")[0] == "input_invalid"
        assert node(client, agent.node_id)["media_roots"] == ["films"]
        assert node(client, agent.node_id)["status"] == "available"  # failed inputs say nothing against it
        elsewhere = submit(client, TINY, input="media:news/a.mp4")
        assert job(client, elsewhere)["pending_reason"] == "no node declares the media root 'news'"
    assert str(root) not in master.log.read_text()


def test_a_file_on_a_server_is_fetched_and_encoded(farm: Farm, film: bytes, tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path, ["localhost"])
    with (
        serving(whole(film), context) as server,
        serving(redirect(f"https://localhost:{server.port}/b")) as first,
    ):
        master = farm.master(max_attempts=1)
        agent = farm.agent(
            master,
            f"--input-host=localhost:{server.port}",
            f"--input-host=http://localhost:{first.port}",
            "--allow-private-inputs",
            environment={"SSL_CERT_FILE": str(trusted)},
        )
        with master.client() as client:
            for source in (f"https://localhost:{server.port}/film.mp4", f"http://localhost:{first.port}/a"):
                job_id = submit(client, WIDE, input=source)
                job_is(client, job_id, "completed")
                assert client.get(f"/jobs/{job_id}/result").json()["metrics"]["frames"] == 72
                # Nothing but the output is left of it.
                assert file_of(agent, job_id).name == "480p30-h264.mp4"
            other = submit(client, TINY, input="https://example.com/a.mp4")
            assert (
                job(client, other)["pending_reason"] == "no node may fetch from the host https://example.com"
            )


def test_without_leave_no_private_address_is_reached(farm: Farm, film: bytes) -> None:
    with serving(whole(film)) as server:
        master = farm.master()
        farm.agent(master, f"--input-host=http://localhost:{server.port}")
        with master.client() as client:
            code, message = failure(client, f"http://localhost:{server.port}/film.mp4")
        assert code == "input_refused"
        assert "not public" in message
        assert server.asked == []


def test_a_root_that_is_not_there_stops_the_agent_at_its_start(farm: Farm, tmp_path: Path) -> None:
    agent = farm.agent(farm.master(), f"--media-root=films={tmp_path}/nothing")
    assert agent.ends() == 1
    assert "agent: the media root films (" in agent.log
    assert "is its disk mounted?" in agent.log
