"""The images run the guide's two commands as written, without root; and what builds them is sound.

They are built and run by `make test-images`; the rest is looked at in every run of the tests.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from agent.cli import main as agent
from master.cli import main as master
from tests.masters import free_port, wait_until

from .conftest import ROOT, Built

DOCKER = ROOT / "deploy" / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
PROGRAMS = {"master": master, "agent": agent}
wanted = pytest.mark.skipif(
    os.environ.get("FFRTMP_TEST_IMAGES") != "1", reason="minutes of work: make test-images does it"
)


def instructions(part: str) -> list[tuple[str, str]]:
    """What the Dockerfile says, a pair for each instruction."""
    text = re.sub(r"^#.*\n", "", (DOCKER / f"{part}.Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line)]


def last(part: str, word: str) -> str:
    return [rest for each, rest in instructions(part) if each == word][-1]


@pytest.mark.parametrize("part", PROGRAMS)
def test_an_image_is_of_a_base_that_can_be_named_and_never_runs_as_root(part: str) -> None:
    assert ("ARG", "BASE=python:3.11-slim") in instructions(part)
    assert {rest.split()[0] for word, rest in instructions(part) if word == "FROM"} == {"${BASE}"}
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", last(part, "USER")), "a number: it is known without the image"
    assert last(part, "ENTRYPOINT") == f'["{part}"]'
    assert last(part, "VOLUME") == "/var/lib/ffmpeg-rtmp"


@pytest.mark.parametrize("part", PROGRAMS)
def test_the_variables_of_an_image_are_those_of_the_flags(part: str) -> None:
    options = [each for each in PROGRAMS[part].params if isinstance(each, click.Option)]
    names = {f"FFRTMP_{each.name.upper()}" for each in options if each.name}
    assert set(re.findall(r"\bFFRTMP_\w+(?==)", last(part, "ENV"))) <= names


@pytest.mark.parametrize("part", PROGRAMS)
def test_what_an_image_copies_is_there_and_is_sent_to_the_engine(part: str) -> None:
    sent = (ROOT / ".dockerignore").read_text()
    for word, rest in instructions(part):
        source = rest.split()[0]
        if word == "COPY" and not source.startswith("--from"):
            assert source.startswith("bin/") or (ROOT / source).exists(), source
            assert f"!{source}\n" in sent or "!deploy/docker\n" in sent, source


@pytest.mark.parametrize("part", PROGRAMS)
def test_the_health_check_of_an_image_is_a_file_that_it_has(part: str) -> None:
    assert f"healthy-{part}.py" in last(part, "HEALTHCHECK")
    assert any(word == "COPY" and f"healthy-{part}.py" in rest for word, rest in instructions(part))


def test_master_and_agent_are_different_users() -> None:
    assert last("master", "USER") != last("agent", "USER")


def test_every_service_of_the_compose_file_is_confined() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["image"] in ("ffmpeg-rtmp/master", "ffmpeg-rtmp/agent"), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name


def test_the_compose_file_builds_what_is_there_and_stops_after_a_drain() -> None:
    for part in PROGRAMS:
        build = COMPOSE["services"][part]["build"]
        assert (DOCKER / build["context"] / build["dockerfile"]).is_file()
    assert COMPOSE["services"]["agent"]["stop_grace_period"] == "7m"  # as TimeoutStopSec of the unit


def test_the_agents_of_the_compose_file_are_started_by_flags_that_exist() -> None:
    flags = {name for each in agent.params for name in each.opts}
    command = COMPOSE["services"]["agent"]["command"]
    assert {word for word in command if word.startswith("--")} <= flags


class Engine:
    """Podman or docker, and what it started for one test."""

    def __init__(self) -> None:
        self.name = os.environ.get("ENGINE", "podman")
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
def images(built: Built) -> None:
    """Built by the script, from the binaries."""
    subprocess.run(["scripts/images.sh"], cwd=built.checkout, check=True)


@pytest.fixture
def engine(images: None) -> Iterator[Engine]:
    engine = Engine()
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


@wanted
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


@wanted
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


def test_the_script_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy2(ROOT / "scripts/images.sh", tmp_path / "scripts")
    sh = shutil.which("sh") or "/bin/sh"
    for tool in ("dirname", "env"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    done = subprocess.run(
        [sh, str(tmp_path / "scripts/images.sh")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "install one of them" in done.stderr
