"""The images run the guide's two commands as written, without root, where an engine is there.

They are built and run for real by docker or podman; FFRTMP_TEST_IMAGES=0 leaves that out.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.masters import free_port, wait_until

from .conftest import ROOT, Built

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/docker/compose.yaml").read_text())


class Engine:
    """Podman or docker, and what it started for one test."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._network = f"farm-{secrets.token_hex(4)}"
        self._started: list[str] = []
        self("network", "create", self._network)

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run([self.name, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, command: str, *more: str) -> str:
        """Type `docker run …`, with `more` flags and in a network of its own; the container's name."""
        name = f"{self._network}-{len(self._started)}"
        _, _, *rest = shlex.split(command)
        self._started.append(name)
        self("run", "--detach", f"--name={name}", f"--network={self._network}", *more, *rest)
        return name

    def logs(self, container: str) -> str:
        done = subprocess.run([self.name, "logs", container], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def ffrtmp(self, container: str, *arguments: str) -> str:
        return self("exec", container, "ffrtmp", *arguments)

    def close(self) -> None:
        for name in self._started:
            subprocess.run([self.name, "rm", "-f", "-v", name], capture_output=True, check=False)
        subprocess.run([self.name, "network", "rm", self._network], capture_output=True, check=False)


@pytest.fixture(scope="module")
def engine_and_base() -> tuple[str, str]:
    """Skips, in CI too, where no container can run: test_images.py lints everywhere."""
    if os.environ.get("FFRTMP_TEST_IMAGES") == "0":
        pytest.skip("FFRTMP_TEST_IMAGES=0 says so")
    version = ".".join(map(str, sys.version_info[:2]))
    done = subprocess.run(
        [ROOT / "scripts/test_base.sh", version], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(done.stderr.strip())
    name, base = done.stdout.split()
    return name, base


@pytest.fixture(scope="module")
def images(engine_and_base: tuple[str, str], request: pytest.FixtureRequest) -> str:
    """Built by the script, from the binaries; the engine that has them."""
    built: Built = request.getfixturevalue("built")  # not before an engine is there: it takes its time
    name, base = engine_and_base
    env = {**os.environ, "ENGINE": name, "BASE": base}
    subprocess.run(["scripts/images.sh"], cwd=built.checkout, env=env, check=True)
    return name


@pytest.fixture
def engine(images: str) -> Iterator[Engine]:
    engine = Engine(images)
    try:
        yield engine
    finally:
        engine.close()


def guides_commands() -> tuple[str, str]:
    """The two commands of the guide's Docker section."""
    section = (ROOT / "docs/guide.md").read_text().partition("### With Docker\n")[2].partition("\n### ")[0]
    block = section.partition("```bash")[2].partition("\n")[2].partition("```")[0].replace("\\\n", " ")
    first, second = (line for line in block.splitlines() if line.startswith("docker run"))
    return first, second


CONFINED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")


@pytest.mark.timeout(900)
def test_the_guides_commands_make_a_farm_that_encodes(engine: Engine) -> None:
    typed, typed_too = guides_commands()
    run_master = typed.replace("8080:8080", f"127.0.0.1:{free_port()}:8080")  # 8080 may be taken
    container = engine.start(run_master, "--network-alias=master", *CONFINED)
    healthy = ("exec", container, "python3", "/opt/ffmpeg-rtmp/bin/healthy-master.py")
    wait_until(lambda: "listening on :8080" in engine.logs(container), "the master serves", 60)
    engine(*healthy)
    worker = engine.start(typed_too)
    said = wait_until(
        lambda: re.search(r"ffrtmp nodes approve (\S+)", engine.logs(worker)), "the agent registers", 120
    )
    engine("exec", worker, "python3", "/opt/ffmpeg-rtmp/bin/healthy-agent.py")
    engine.ffrtmp(container, "nodes", "approve", said[1])
    engine.ffrtmp(container, "jobs", "submit", "480p30-h264", "-p", "duration=0.5")
    wait_until(lambda: "Results sent" in engine.logs(worker), "the job is done", 60)
    assert "completed" in engine.ffrtmp(container, "results")
    for each in (container, worker):
        assert engine("exec", each, "id", "-u").strip() not in ("0", "")


@pytest.mark.timeout(900)
def test_an_agent_joins_by_the_token_that_the_join_service_leaves(engine: Engine, tmp_path: Path) -> None:
    volume = f"--volume={secrets.token_hex(4)}:/join"
    container = engine.start("docker run ffmpeg-rtmp/master", "--network-alias=master", volume, *CONFINED)
    wait_until(lambda: "listening on :8080" in engine.logs(container), "the master serves", 60)
    _, _, script = COMPOSE["services"]["join"]["entrypoint"]
    engine("exec", "--env=XDG_STATE_HOME=/tmp", container, "sh", "-c", script)
    command = " ".join(COMPOSE["services"]["agent"]["command"])
    worker = engine.start(f"docker run ffmpeg-rtmp/agent {command}", f"{volume}:ro", *CONFINED)
    wait_until(lambda: "available" in engine.ffrtmp(container, "nodes", "list"), "it joins", 120)
    token = engine("exec", worker, "cat", "/join/token").strip()
    assert token.startswith("ffrtmp1.")
    assert token not in engine.logs(worker)
