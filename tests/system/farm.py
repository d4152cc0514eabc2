"""A farm for one test: real masters and agents as processes, what they say, and what they leave."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest

from tests import forked
from tests.forked import ForkedProcess
from tests.masters import IN_A_TEST, ROOT, Client, Master, looks, start_master, wait_until

AGENT = [sys.executable, "-c", "from agent.cli import main; main(prog_name='agent')"]
"""The command line of the agent, without its flags."""
HERE = ("--allow-master-as-worker", "--yes")
"""The flags of an agent on the master's machine."""
TINY: dict[str, Any] = {"duration": 0.5, "preset": "ultrafast"}
"""Parameters of a job that is over in a moment."""
LASTING: dict[str, Any] = {"crf": 30.25, "preset": "ultrafast", "threads": 1}
"""Parameters of a job that takes about as long as it plays, and little CPU time: see `ONE_ENCODER`."""
SHORT: dict[str, Any] = {**LASTING, "duration": 2.5}
"""Parameters of a job that takes two seconds: long enough to be caught in the middle."""
ENDLESS: dict[str, Any] = {**LASTING, "duration": 36_000}
"""Parameters of a job that no test sees the end of."""

ONE_ENCODER = """\
#!/bin/sh
case " $* " in
*" -encoders "*) "{real}" "$@" | grep " libx264 " ;;
*" -crf 30.25 "*) exec "{real}" -re "$@" ;;
*) exec "{real}" "$@" ;;
esac
"""
"""The real ffmpeg, which claims to have one encoder only: each that it lists is tried at every start.

It reads what is `LASTING` no faster than it is played: as on a slow machine, but this one then has time for
the other tests.
"""


def one_encoder(script: Path) -> dict[str, str]:
    """The environment of an agent whose ffmpeg is that, at `script`."""
    real = imageio_ffmpeg.get_ffmpeg_exe()
    script.write_text(ONE_ENCODER.format(real=real))
    script.chmod(0o755)
    # What is on this path can be seen in the sandbox: the real one that ours calls.
    return {"IMAGEIO_FFMPEG_EXE": str(script), "LD_LIBRARY_PATH": str(Path(real).parent)}


class Agent:
    """One running agent; all it says is in `log`."""

    def __init__(
        self,
        state_dir: Path,
        flags: Sequence[str],
        environment: dict[str, str] | None = None,
        *,
        stdin: int = subprocess.DEVNULL,
        inside: Sequence[str] = (),
        program: bool = not IN_A_TEST,
    ) -> None:
        """`inside`: a command that runs the agent in another place, such as a network namespace.

        `program`: it is started, and not forked (`tests.forked`), as it is with one of the others.
        """
        self.state_dir = state_dir
        self.work_dir = state_dir.with_name(f"{state_dir.name}-work")
        self.name = state_dir.name
        self._log = state_dir.with_name(f"{state_dir.name}.log")
        named = (f"--state-dir={state_dir}", f"--work-dir={self.work_dir}", f"--name={self.name}")
        with self._log.open("ab") as log:
            self._from = log.tell()
            self.process: Any = (
                subprocess.Popen(
                    [*inside, *AGENT, *named, *flags],
                    cwd=ROOT,
                    env={**os.environ, **(environment or {})},
                    stdin=stdin,
                    stdout=log,
                    stderr=log,
                    text=True,
                )
                if program or inside or stdin != subprocess.DEVNULL
                else ForkedProcess(forked.program("agent", [*named, *flags]), self._log, environment)
            )

    @property
    def log(self) -> str:
        """What this process has said; an earlier one with the same state directory is left out."""
        return self._log.read_bytes()[self._from :].decode()

    def says(self, text: str, seconds: float = 20.0) -> str:
        """Its first line with `text`; fails the test when none comes or the agent ends without it."""

        def look() -> str | None:
            ended = self.process.poll() is not None
            line = next((line for line in self.log.splitlines() if text in line), None)
            if line is None and ended:
                pytest.fail(f"the agent ended with {self.process.returncode}, without {text!r}:\n{self.log}")
            return line

        return str(wait_until(look, f"{self.name} says {text!r}", seconds))

    @property
    def node_id(self) -> str:
        """Its id, once it has registered."""
        found = re.search(r'as node ([^\s"]+)', self.says("Registered with"))
        assert found is not None
        return found[1]

    def ffmpegs(self) -> list[int]:
        """The processes that run in its work directory, without the monitors of their sandboxes."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended, or is a zombie
                inside = (entry / "cwd").readlink().is_relative_to(self.work_dir)
                if inside and (entry / "comm").read_text() != "bwrap\n":
                    found.append(int(entry.name))
        return found

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends(self, seconds: float = 20.0) -> int:
        """Its exit status; fails the test if it does not end."""
        try:
            return int(self.process.wait(seconds))
        except subprocess.TimeoutExpired:
            return pytest.fail(f"{self.name} did not end within {seconds} s:\n{self.log}")

    def kill(self) -> None:
        """End it at once (kill -9)."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


class Farm:
    """The processes of one test; `close` ends whatever still runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ffmpeg = one_encoder(folder / "ffmpeg")
        self._agents: list[Agent] = []
        self._masters: list[Master] = []

    def master(self, *, port: int | None = None, **flags: Any) -> Master:
        """A master that serves; started again, it finds the state and the port of the one before."""
        if port is None and self._masters:
            port = self._masters[-1].port
        self._masters.append(start_master(self._folder / "master", port=port, **flags))
        return self._masters[-1]

    def agent(
        self,
        master: Master | str,
        *flags: str,
        name: str = "worker",
        how: Sequence[str] = ("--register", *HERE),
        **process: Any,
    ) -> Agent:
        """An agent, not waited for. `how` it registers: by default on the master's own machine."""
        url = master if isinstance(master, str) else master.url
        environment = {**self._ffmpeg, **process.pop("environment", {})}
        agent = Agent(self._folder / name, [f"--master={url}", *how, *flags], environment, **process)
        self._agents.append(agent)
        return agent

    def close(self) -> None:
        for agent in self._agents:
            agent.kill()
        for master in self._masters:
            if master.process.poll() is None:
                master.stop()
        for agent in self._agents:
            assert "Traceback" not in agent.log
        for master in self._masters:
            assert "Traceback" not in master.log.read_text()


def submit(client: Client, parameters: dict[str, Any], scenario: str = "480p30-h264", **more: Any) -> str:
    """Queue a job; its id."""
    answer = client.post("/jobs", json={"scenario": scenario, "parameters": parameters, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def job(client: Client, job_id: str) -> dict[str, Any]:
    answer = client.get(f"/jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def job_is(client: Client, job_id: str, status: str, seconds: float = 40.0) -> dict[str, Any]:
    """The job, once it has `status`; fails the test when it ends otherwise or the time is over."""
    deadline = time.monotonic() + seconds
    for _ in looks():
        found = job(client, job_id)
        if found["status"] == status:
            break
        if found["status"] in ("completed", "failed", "canceled") or time.monotonic() > deadline:
            return pytest.fail(f"the job is not {status}, but: {found}")
    return found


def outcomes(found: dict[str, Any]) -> list[str | None]:
    """How each attempt of a job ended."""
    return [attempt["outcome"] for attempt in found["attempts"]]


def encoding(agent: Agent, job_id: str) -> int:
    """The ffmpeg that encodes the job, once it has opened its output."""
    # Looked for often: it may last a second only.
    wait_until(lambda: list((agent.work_dir / job_id).glob("*.part/*.mp4")), "an encode has begun", most=0.02)
    (pid,) = agent.ffmpegs()
    return pid


@contextmanager
def halfway(agent: Agent, job_id: str) -> Iterator[int]:
    """The job's ffmpeg, held in the middle of its encode for as long as the block lasts."""
    pid = encoding(agent, job_id)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield pid
    finally:
        with suppress(ProcessLookupError):  # it may have been killed on purpose
            os.kill(pid, signal.SIGCONT)


def node(client: Client, node_id: str) -> dict[str, Any]:
    return dict(client.get(f"/nodes/{node_id}").json())


def node_is(client: Client, node_id: str, status: str, seconds: float = 15.0) -> None:
    """Wait until the node has `status`."""
    # Looked for often: it may last as long as a short job.
    wait_until(lambda: node(client, node_id)["status"] == status, f"the node is {status}", seconds, most=0.03)


def file_of(agent: Agent, job_id: str) -> Path:
    """The job's whole output."""
    (file,) = (agent.work_dir / job_id).iterdir()
    return file
