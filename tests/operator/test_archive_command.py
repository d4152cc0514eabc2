"""`ffrtmp results --archive` shows results that are older than the master's `--retention`."""

from __future__ import annotations

from pathlib import Path

from tests.api.corner import Corner, got
from tests.masters import start_master, wait_until
from tests.operator.conftest import Ffrtmp


def test_old_results_are_still_read(tmp_path: Path) -> None:
    master = start_master(tmp_path / "master", retention="3s")
    try:
        ffrtmp = Ffrtmp(master.url, tmp_path)
        assert ffrtmp("results", "--archive").stderr.splitlines()[-1] == "Nothing is archived yet."
        with master.client() as client:
            corner = Corner(client)
            node = corner.register()
            for n in range(2):
                corner.submit()
                got(corner.report(corner.poll(node["id"])["job"], metrics={"frames": 300 + n}))
            old = [result["job_id"] for result in got(client.get("/results"))["results"]]
            wait_until(lambda: got(client.get("/jobs"))["count"] == 0, "the memory is empty")
        assert ffrtmp("results").stderr == "There are no results yet.\n"
        assert [result["job_id"] for result in ffrtmp.json("results", "--archive")] == old
        assert [result["job_id"] for result in ffrtmp.json("results", "--archive", "--limit", "1")] == old[:1]
        assert "300" in ffrtmp("results", "--archive").stdout
        assert "frames: 301" in ffrtmp("results", "--archive", old[0]).stdout
        missing = ffrtmp("results", "--archive", "nothing")
        assert (missing.returncode, missing.stderr) == (
            5,
            "Error: there is no job 'nothing' in the archive\n",
        )
    finally:
        master.stop()
