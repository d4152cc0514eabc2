"""An agent keeps as much of its outputs as it was told to, and says what it removes."""

from __future__ import annotations

from tests.masters import wait_until
from tests.system.farm import TINY, Farm, file_of, job_is, submit


def test_an_output_beyond_the_size_is_removed_at_the_next_start(farm: Farm) -> None:
    master = farm.master()
    first = farm.agent(master, "--keep-outputs-size=1G")
    with master.client() as client:
        job_id = submit(client, TINY)
        job_is(client, job_id, "completed")
    assert file_of(first, job_id).stat().st_size > 1
    first.kill()
    second = farm.agent(master, "--keep-outputs-size=1", how=())
    second.says(f"Removed the old output of job {job_id}")
    wait_until(lambda: not (second.work_dir / job_id).exists(), "its directory is gone")
