"""What the agent's tests share: one spawner, this machine's encoders, stand-ins for ffmpeg."""

from __future__ import annotations

import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from agent.ffmpeg.discover import FFmpeg, Toolbox, discover
from agent.ffmpeg.source import DEMUXERS
from agent.ffmpeg.spawner import Spawner
from agent.hosts.pool import Family, Hosts
from agent.prober import Probe, measure
from agent.runner import run_job
from agent.sandbox import Sandbox, SandboxError, detect
from agent.task import Assignment
from common.model import Report, Scalar
from common.settings import CODECS
from tests.once import made_once
from tests.parts import missing

StandIn = Callable[[str], Toolbox]
Encode = Callable[..., Report]


@pytest.fixture(scope="session")
def spawner() -> Iterator[Spawner]:
    with Spawner() as spawner:
        yield spawner


@pytest.fixture(scope="session")
def sandbox(spawner: Spawner) -> Sandbox:
    """The real one."""
    try:
        return detect(spawner, "required")
    except SandboxError as error:
        missing(str(error))


@pytest.fixture(params=["open", "caged"])
def either(request: pytest.FixtureRequest) -> Sandbox:
    """No sandbox, and the real one: what is the same in both is tested in both."""
    return request.getfixturevalue("sandbox") if request.param == "caged" else Sandbox()


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """Of an agent with two slots."""
    hosts = Hosts(2)
    yield hosts
    hosts.close()


@pytest.fixture(params=["open", "caged", "hosted"])
def reading(request: pytest.FixtureRequest, hosts: Hosts) -> Sandbox:
    """As `either`, and the one with hosts, for what reads files in it."""
    if request.param == "open":
        return Sandbox()
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    return sandbox if request.param == "caged" else replace(sandbox, family=Family(hosts, "family-1"))


@pytest.fixture(scope="session")
def toolbox(spawner: Spawner, tmp_path_factory: pytest.TempPathFactory) -> Toolbox:
    """This machine's, without a sandbox; encoders are tried once in a run, for all directories of tests."""

    def look(place: Path) -> None:
        place.mkdir()
        (place / "toolbox").write_bytes(pickle.dumps(discover(spawner)))

    found: Toolbox = pickle.loads((made_once(tmp_path_factory, "toolbox", look) / "toolbox").read_bytes())
    return found


@pytest.fixture
def encode(spawner: Spawner, toolbox: Toolbox, tmp_path: Path) -> Encode:
    """Runs a job with the real ffmpeg and gives its report."""

    def encode(scenario: str, parameters: Mapping[str, Scalar]) -> Report:
        report = run_job(
            Assignment("job-1", scenario, parameters, "lease-1", 1),
            "node-1",
            toolbox,
            spawner,
            tmp_path,
            lambda _progress, _lines: None,
            threading.Event(),
        )
        assert report is not None
        return report

    return encode


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    """A toolbox whose ffmpeg is a Python script; `REAL` in it is a real ffmpeg's path."""

    def make(body: str) -> Toolbox:
        script = tmp_path / "stand-in"
        script.write_text(f"#!{sys.executable} -S\nimport os, signal, sys, time\n{body}\n")
        script.chmod(0o755)
        ffmpeg = FFmpeg(script, "stand-in")
        return Toolbox({codec.encoder: ffmpeg for codec in CODECS.values()})

    return make


def measured(path: Path) -> Probe:
    """What a media file is, found out in this process."""
    with path.open("rb") as file:
        return measure(path.name, file.fileno(), DEMUXERS)


def wait_until(condition: Callable[[], bool], deadline: float = 20.0) -> bool:
    """Whether the condition came true before the deadline (seconds from now)."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)  # between two looks at the condition; nothing relies on its length
    return True


def is_gone(pid: int) -> bool:
    """Whether the process runs no more (a zombie that nobody reaped does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"
