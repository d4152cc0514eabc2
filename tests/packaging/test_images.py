"""What the images and the compose file are made by is sound, as far as can be seen without an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from compose_spec import PyCompose

from agent.cli import main as agent
from master.cli import main as master
from tests.parts import missing

from .conftest import ROOT

DOCKER = ROOT / "deploy" / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
PROGRAMS = {"master": master, "agent": agent}


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


@pytest.mark.parametrize("part", PROGRAMS)
def test_a_dockerfile_has_nothing_that_hadolint_warns_of(part: str) -> None:
    tool = Path(sys.executable).with_name("hadolint")
    if not tool.exists():
        missing("hadolint is not installed (make setup does it)")
    done = subprocess.run(
        [tool, "--no-color", DOCKER / f"{part}.Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_master_and_agent_are_different_users() -> None:
    assert last("master", "USER") != last("agent", "USER")


def test_the_compose_file_is_as_the_specification_has_it() -> None:
    compose = PyCompose.from_yaml((DOCKER / "compose.yaml").read_text())
    compose.validate()
    assert set(compose.service_names()) == {"master", "join", "agent"}


@pytest.mark.parametrize("wrong", ["read_onyl: true", "stop_grace_period: forty"])
def test_a_mistake_in_the_compose_file_would_be_seen(wrong: str) -> None:
    right = (DOCKER / "compose.yaml").read_text()
    with pytest.raises(ValueError, match=wrong.split()[0].rstrip(":")):
        PyCompose.from_yaml(right.replace("restart: unless-stopped", wrong, 1))


def test_services_wait_for_services_that_there_are() -> None:
    for service in COMPOSE["services"].values():
        assert set(service.get("depends_on", ())) <= set(COMPOSE["services"])


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
