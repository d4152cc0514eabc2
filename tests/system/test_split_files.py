"""A file that is split over two real agents is the file that one agent makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.files.support import store
from tests.split.pieces import CLOSE, decoded, packets
from tests.system.farm import Farm, job_is, submit
from tests.system.splitting import SPLIT, make_film, parts_of, two


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
