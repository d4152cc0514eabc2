"""An ffmpeg that crashes, is killed, lies or floods its log costs an attempt at most, and never the agent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.system.farm import TINY, Agent, Farm, file_of, job_is, outcomes, submit
from tests.system.standin import CRASH, FLOOD, HALF_THE_FRAMES, OUT_OF_MEMORY, StandIn

OPEN = "--sandbox=off"
"""The stand-in takes its orders from a file that no sandbox would show it."""


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path)


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        pytest.param(CRASH, "encoder_killed", "signal 11", id="crashed"),
        pytest.param(OUT_OF_MEMORY, "encoder_killed", "signal 9", id="killed for memory"),
        pytest.param(HALF_THE_FRAMES, "output_invalid", "the number of frames", id="half the frames"),
    ],
)
def test_the_job_is_tried_again_and_says_why(
    farm: Farm, stand_in: StandIn, how: str, code: str, said: str
) -> None:
    master = farm.master()
    agent = farm.agent(master, f"--ffmpeg={stand_in.path}", OPEN)
    assert agent.node_id
    stand_in.misbehave_once(how)
    with master.client() as client:
        job_id = submit(client, TINY)
        done = job_is(client, job_id, "completed")
    assert outcomes(done) == ["failed", "completed"]
    error = done["attempts"][0]["error"]
    assert error["code"] == code
    assert said in error["message"]
    assert [file.name for file in (agent.work_dir / job_id).iterdir()] == ["480p30-h264.mp4"]


def peak(agent: Agent) -> int:
    """The most memory that the agent has used, in bytes."""
    status = Path(f"/proc/{agent.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024  # type: ignore[index]  # it is always there


def test_a_flood_on_its_stderr_leaves_the_agents_memory_flat(farm: Farm, stand_in: StandIn) -> None:
    master = farm.master()
    agent = farm.agent(master, f"--ffmpeg={stand_in.path}", OPEN)
    with master.client() as client:
        job_is(client, submit(client, TINY), "completed")
        before = peak(agent)
        stand_in.misbehave_once(FLOOD)
        job_id = submit(client, TINY)
        assert outcomes(job_is(client, job_id, "completed", 120)) == ["completed"]
    assert stand_in.has_misbehaved
    print(f"peak memory of the agent: {before:,} bytes before, {peak(agent):,} after")  # noqa: T201 - measured
    assert peak(agent) - before < 30_000_000
    assert file_of(agent, job_id).stat().st_size > 0
