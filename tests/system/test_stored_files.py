"""A file that an operator puts is encoded by an agent, which has got it once for several jobs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information

from tests.files.support import store
from tests.system.farm import Farm, job_is, submit

WIDE = {"preset": "ultrafast", "width": 320, "height": 180}


def test_a_stored_file_is_encoded_also_after_its_cached_copy_was_damaged(farm: Farm, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=30:duration=1"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *picture, str(film)], check=True)
    master = farm.master(max_attempts=1)
    cache = tmp_path / "cache"
    farm.agent(master, f"--cache-dir={cache}", "--cache-size=10M")
    with master.client() as client:
        sha256 = store(client, film.read_bytes())["sha256"]
        for _ in range(2):
            job_id = submit(client, WIDE, input=f"file:{sha256}")
            job_is(client, job_id, "completed")
            assert client.get(f"/jobs/{job_id}/result").json()["metrics"]["frames"] == 30
            assert [path.name for path in cache.iterdir()] == [sha256]
            (cache / sha256).write_bytes(b"damaged")
    assert master.stop() == 0
