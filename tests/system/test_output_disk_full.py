"""An output that does not fit fails its attempt, leaves nothing, and is tried again until it fits."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.system.farm import Farm, file_of, job_is, outcomes, submit

LOSSLESS = {"duration": 1, "crf": 0}
"""Parameters of a job whose output takes more than 300 kB."""


def test_a_full_disk_is_told_and_the_job_is_done_when_there_is_space(
    farm: Farm, make_disk: Callable[[str], Path], tmp_path: Path
) -> None:
    disk = make_disk("300k")
    (tmp_path / "worker-work").symlink_to(disk)
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, LOSSLESS)
        agent.says("(disk_full)")
        waiting = job_is(client, job_id, "pending")
        assert waiting["attempts"][0]["error"]["code"] == "disk_full"
        assert "no space was left for the output" in waiting["attempts"][0]["error"]["message"]
        assert list(disk.iterdir()) == []
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        assert outcomes(job_is(client, job_id, "completed")) == ["failed", "completed"]
    assert file_of(agent, job_id).stat().st_size > 300_000
