"""A file that is split over two real agents is the file that one agent makes of it."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.files.support import store
from tests.split.pieces import CLOSE, decoded, packets
from tests.system.farm import Farm, job_is, submit
from tests.system.splitting import SPLIT, make_film, nothing_is_stored, parts_of, two, worker


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A media root with a film of twelve seconds."""
    return make_film(tmp_path / "media").parent


def test_the_joined_file_is_what_an_unsplit_encode_is(farm: Farm, media: Path) -> None:
    master = farm.master()
    two(farm, master, media)
    with master.client() as client:
        stored = store(client, (media / "film.mp4").read_bytes())["sha256"]
        jobs = {
            "whole.mp4": submit(
                client,
                {"crf": 30, "preset": "ultrafast", "threads": 1},
                input="media:films/film.mp4",
                output="media:films/whole.mp4",
            )
        }
        for name, input_ in (("root.mp4", "media:films/film.mp4"), ("store.mp4", f"file:{stored}")):
            jobs[name] = submit(client, SPLIT, input=input_, output=f"media:films/{name}")
        for job_id in jobs.values():
            job_is(client, job_id, "completed", 120)
        assert set(parts_of(client, jobs["root.mp4"])) == {"sound", "chunk-001", "chunk-002", "chunk-003"}
        for kind in ("video", "audio"):
            whole = packets(media / "whole.mp4", kind)
            assert packets(media / "root.mp4", kind) == pytest.approx(whole, abs=CLOSE)
        assert decoded(media / "root.mp4") == 300
        assert (media / "root.mp4").read_bytes() == (media / "store.mp4").read_bytes()
        metrics = client.get(f"/jobs/{jobs['root.mp4']}/result").json()["metrics"]
        assert metrics["frames"] == 300
        assert metrics["audio_tracks"] == 1


def test_a_bitrate_is_met_in_the_container_that_the_output_names(farm: Farm, media: Path) -> None:
    master = farm.master()
    worker(farm, master, media, "one")
    with master.client() as client:
        given = {"split": 2, "bitrate": "150k", "preset": "ultrafast", "pictures": True}
        job_id = submit(client, given, input="media:films/film.mp4", output="media:films/small.mkv")
        job_is(client, job_id, "completed", 120)
        assert {"look-001", "look-002", "chunk-001", "chunk-002"} <= set(parts_of(client, job_id))
        with av.open(str(media / "small.mkv")) as container:
            assert "matroska" in container.format.name
        assert decoded(media / "small.mkv") == 300
        assert len(packets(media / "small.mkv", "audio")) > 500
        result = client.get(f"/jobs/{job_id}/result").json()
        assert result["metrics"]["passes"] == 2
        kinds = [each["kind"] for each in result["artifacts"]]
        assert (kinds.count("video"), kinds.count("poster")) == (1, 1)
        nothing_is_stored(client)


def test_what_is_no_film_fails_and_leaves_nothing(farm: Farm, media: Path) -> None:
    (media / "film.mp4").write_bytes(b"no film" * 1000)
    master = farm.master(max_attempts=1)
    two(farm, master, media)
    with master.client() as client:
        job_id = submit(client, SPLIT, input="media:films/film.mp4", output="media:films/none.mp4")
        found = job_is(client, job_id, "failed", 60)
        assert found["error"]["code"] == "input_invalid"
        assert not (media / "none.mp4").exists()
        assert client.get("/files").json()["files"] == []
