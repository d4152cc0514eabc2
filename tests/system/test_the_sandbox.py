"""A real agent runs ffmpeg in the sandbox, says so, and can be told to run it in no other way."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest

from agent.ffmpeg.spawner import Spawner
from agent.sandbox import Sandbox, SandboxError, detect
from tests.masters import Master
from tests.parts import missing
from tests.system.farm import ENDLESS, TINY, Farm, encoding, job_is, submit

CANARIES = ("FFRTMP_TOKEN", "AWS_SECRET_ACCESS_KEY", "https_proxy")


@pytest.fixture
def sandbox() -> Sandbox:
    with Spawner() as spawner:
        try:
            return detect(spawner, "required")
        except SandboxError as error:
            missing(str(error))


@pytest.fixture
def without_bwrap(tmp_path: Path) -> dict[str, str]:
    """An environment in which the agent finds what it must have, and no more."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("setpriv", "prlimit", "grep"):
        (folder / program).symlink_to(str(shutil.which(program)))
    return {"PATH": str(folder)}


@pytest.mark.usefixtures("sandbox")
def test_ffmpeg_has_another_network_and_none_of_the_agents_secrets(farm: Farm) -> None:
    master = farm.master()
    secrets = {name: f"canary-{number}" for number, name in enumerate(CANARIES)}
    agent = farm.agent(master, "--sandbox=required", environment=secrets, program=True)
    agent.says("ffmpeg runs in a sandbox: no network, no files but its own")
    with master.client() as client:
        ffmpeg = Path(f"/proc/{encoding(agent, submit(client, ENDLESS))}")
        assert "canary" in Path(f"/proc/{agent.process.pid}/environ").read_text()
        assert "canary" not in (ffmpeg / "environ").read_text()
        assert "canary" not in (ffmpeg / "cmdline").read_text()
        own = Path(f"/proc/{agent.process.pid}/ns")
        for space in ("net", "pid", "mnt", "ipc", "user", "uts"):
            assert (ffmpeg / "ns" / space).readlink() != (own / space).readlink()


def test_an_agent_that_must_have_a_sandbox_does_not_start_without(
    farm: Farm, without_bwrap: dict[str, str]
) -> None:
    agent = farm.agent(farm.master(), "--sandbox=required", environment=without_bwrap)
    assert agent.ends() == 1
    said = "agent: --sandbox required: bwrap was not found; install the package bubblewrap"
    assert agent.log.splitlines()[-1] == said


def test_an_agent_without_bubblewrap_warns_once_and_works(farm: Farm, without_bwrap: dict[str, str]) -> None:
    master = farm.master()
    agent = farm.agent(master, environment=without_bwrap)
    agent.says("but can reach the network and read files: bwrap was not found")
    with master.client() as client:
        job_is(client, submit(client, TINY), "completed")
    assert agent.log.count("bwrap was not found") == 1


@pytest.mark.usefixtures("sandbox")
def test_an_ffmpeg_that_does_not_run_in_it_is_said_to_be_left_out(farm: Farm, tmp_path: Path) -> None:
    named, needed = tmp_path / "named", tmp_path / "needed"
    needed.symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    named.write_text(f'#!/bin/sh\nexec "{needed}" "$@"\n')
    named.chmod(0o755)
    agent = farm.agent(farm.master(), f"--ffmpeg={named}")
    assert f"{needed}: not found" in agent.says(f"{named} is not used")
    assert agent.node_id


def test_a_program_in_the_sandbox_cannot_use_the_masters_local_door(
    quiet_master: Master, sandbox: Sandbox, tmp_path: Path
) -> None:
    if shutil.which("curl") is None:
        missing("curl is not installed")
    command = ["curl", "-sk", "-m", "10", "-o", os.devnull, "-w", "%{http_code}", f"{quiet_master.url}/jobs"]

    with Spawner() as spawner:

        def answered(sandbox: Sandbox) -> str:
            # By a shell, for curl's exit code is another without a connection.
            argv = sandbox.wrap(["/bin/sh", "-c", '"$@"; exit 0', "sh", *command], tmp_path)
            return spawner.output(argv, tmp_path, 20, greets=sandbox.has_monitor)

        assert answered(Sandbox()) == "200"  # the door is open for this user
        assert answered(sandbox) == "000"  # curl's word for no connection
