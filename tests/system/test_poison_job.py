"""A job that kills every agent it meets is set aside after the third; the farm goes on without it."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest

from tests.system.farm import ONE_ENCODER, TINY, Farm, job, job_is, node_is, outcomes, submit

POISON = """\
#!/bin/sh
case " $* " in
*320x180*) kill -9 $PPID ;;
esac
exec "{ffmpeg}" "$@"
"""
"""An ffmpeg that takes its agent down with it when the picture is 320 by 180."""

OPEN = "--sandbox=off"
"""In the sandbox it could not signal its agent."""


@pytest.fixture
def poison(tmp_path: Path) -> dict[str, str]:
    """The environment of agents whose ffmpeg is like that."""
    real = tmp_path / "real-ffmpeg"
    real.write_text(ONE_ENCODER.format(real=imageio_ffmpeg.get_ffmpeg_exe()))
    script = tmp_path / "poison-ffmpeg"
    script.write_text(POISON.format(ffmpeg=real))
    for file in (real, script):
        file.chmod(0o755)
    return {"IMAGEIO_FFMPEG_EXE": str(script)}


def test_after_three_agents_it_is_quarantined_and_other_jobs_are_done(
    farm: Farm, poison: dict[str, str]
) -> None:
    master = farm.master(heartbeat_timeout="1500ms", lease="1500ms", max_attempts=10)
    with master.client() as client:
        job_id = submit(client, {**TINY, "width": 320, "height": 180})
        for name in ("a", "b", "c"):
            agent = farm.agent(master, OPEN, name=name, environment=poison)
            agent.process.wait(40)
            assert agent.process.returncode == -9
            node_is(client, agent.node_id, "offline")
        aside = job(client, job_id)
        assert aside["status"] == "failed"
        assert aside["error"]["code"] == "quarantined"
        assert outcomes(aside) == ["lost"] * 3
        survivor = farm.agent(master, OPEN, name="d", environment=poison)
        job_is(client, submit(client, TINY), "completed")
        assert survivor.process.poll() is None
