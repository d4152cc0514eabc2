"""What the tests of live streams share: a server, a job that streams, and somebody who watches."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.inputs.fetch import Surroundings
from agent.inputs.rules import InputRules
from agent.publish.rules import OutputRules
from agent.runner import run_job
from agent.sandbox import Sandbox
from agent.task import Assignment
from common.inputs import parse_host_pattern
from common.model import Progress, Report, Value
from tests.agent.conftest import sandbox, spawner, toolbox
from tests.streams.servers import Nginx

__all__ = ["sandbox", "spawner", "toolbox"]

SMALL: dict[str, Value] = {"width": 160, "height": 90, "fps": 15, "bitrate": "200k", "preset": "ultrafast"}


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    server = Nginx(tmp_path / "nginx")
    yield server
    server.kill()


@dataclass
class Streamer:
    """Runs jobs as an agent does, in a thread if need be."""

    spawner: Spawner
    toolbox: Toolbox
    sandbox: Sandbox
    directory: Path
    hosts: tuple[str, ...] = ("rtmp://127.0.0.1", "rtmp://127.0.0.1:1935")
    private: bool = True
    max_size: int = 10**9
    roots: Mapping[str, Path] = field(default_factory=dict)
    abort: threading.Event = field(default_factory=threading.Event)
    told: list[Progress] = field(default_factory=list)
    may_work: Callable[[], bool] = lambda: True
    world: Surroundings = field(default_factory=Surroundings)

    def run(self, parameters: Mapping[str, Value], **more: Any) -> Report | None:
        hosts = tuple(parse_host_pattern(host) for host in self.hosts)
        return run_job(
            Assignment("job-1", "480p-h264", {**SMALL, **parameters}, "lease-1", 1, **more),
            "node-1",
            self.toolbox,
            self.spawner,
            self.directory,
            lambda progress, _: self.told.append(progress),
            self.abort,
            may_work=self.may_work,
            sandbox=self.sandbox,
            inputs=InputRules(self.roots, hosts, self.private, self.max_size),
            outputs=OutputRules({}, hosts, self.private, self.world),
        )

    @property
    def frames(self) -> int:
        """As told last."""
        return (self.told[-1].frame or 0) if self.told else 0

    def report(self, parameters: Mapping[str, Value], **more: Any) -> Report:
        report = self.run(parameters, **more)
        assert report is not None
        return report


def number(report: Report, name: str) -> float:
    """A metric that must be known."""
    value = report.metrics[name]
    assert isinstance(value, int | float), (name, value)
    return value


@pytest.fixture
def streamer(spawner: Spawner, toolbox: Toolbox, sandbox: Sandbox, nginx: Nginx, tmp_path: Path) -> Streamer:
    return Streamer(spawner, toolbox, sandbox, tmp_path / "work", (f"rtmp://127.0.0.1:{nginx.port}",))


class Background:
    """Something that goes on while the test does something else."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[], Any]) -> None:
        try:
            self._result = work()
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._error = error

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def result(self, deadline: float = 60.0) -> Any:
        self._thread.join(deadline)
        assert not self._thread.is_alive(), "it did not end"
        if self._error is not None:
            raise self._error
        return self._result


@dataclass(frozen=True)
class Seen:
    """What a viewer decoded."""

    frames: int
    log: str


class Viewer:
    """Another ffmpeg, which decodes what it is given."""

    def __init__(self, toolbox: Toolbox, *source: str) -> None:
        argv = [str(next(iter(toolbox.chosen.values())).path), "-hide_banner", "-nostdin", "-nostats"]
        argv += ["-progress", "pipe:1", "-stats_period", "0.1"]
        # Without sound in the stream it would wait for some.
        argv += ["-analyzeduration", "500000", *source]
        argv += ["-fps_mode", "passthrough", "-f", "null", "-"]
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self._lines.extend(lines)

    @property
    def log(self) -> str:
        return "".join(self._lines)

    @property
    def frames(self) -> int:
        counts = re.findall(r"^frame=(\d+)", self.log, re.MULTILINE)
        return int(counts[-1]) if counts else 0

    def end(self, deadline: float = 20.0) -> Seen:
        """What it has seen at its end, or at the deadline's."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(deadline)
        return self.stop()

    def stop(self) -> Seen:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        return Seen(self.frames, self.log)


@pytest.fixture
def watch(toolbox: Toolbox) -> Iterator[Callable[..., Viewer]]:
    viewers: list[Viewer] = []

    def watch(*source: str) -> Viewer:
        viewers.append(Viewer(toolbox, *source))
        return viewers[-1]

    yield watch
    for viewer in viewers:
        viewer.stop()
