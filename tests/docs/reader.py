"""A reader who follows docs/guide.md word by word: types its commands, and looks at what they print.

What has to differ from the page, so that it can be followed anywhere and quickly, is in `Reader.typed`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import requests

from tests.docs.markdown import Block, complaints
from tests.masters import free_port, wait_until

PATIENCE = 150.0
"""Seconds that a command gets, and that a program in a terminal gets to print what is shown."""


class Terminal:
    """A program that runs on, in a terminal of its own."""

    def __init__(self, command: str, log: Path, answer: str, cwd: Path, environment: dict[str, str]) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=cwd,
                env=environment,
                start_new_session=True,
            )
        assert self.process.stdin is not None
        self.process.stdin.write(f"{answer}\n".encode())
        self.process.stdin.close()

    def printed(self) -> str:
        # What is typed ends the prompt's line on a terminal; in a file it does not.
        return self._log.read_text().replace("(yes/no): ", "(yes/no):\n")

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return self.process.wait()


class Reader:
    """Follows the blocks one after the other, in a checkout of its own and with a home of its own."""

    def __init__(self, checkout: Path, home: Path, cache: Path) -> None:
        """`cache`: where the binaries unpack themselves, if nobody has had them do so before."""
        home.mkdir()
        self._checkout = checkout
        self._home = home
        self._port = free_port()
        self._terminals: dict[str, Terminal] = {}
        self._last: Callable[[], str] = str
        self.url = f"https://localhost:{self._port}"
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("FFRTMP_", "XDG_", "PEX_"))}
        # test_distributed.sh and ffrtmp take their default address from here.
        own = {"HOME": str(home), "XDG_CACHE_HOME": str(cache)}
        self._environment = {**keep, **own, "FFRTMP_MASTER": self.url, "LC_ALL": "C.UTF-8"}

    def typed(self, command: str) -> str:
        """The command as it is typed here."""
        for written, meant in (
            # Port 8080 may be taken.
            ("8080", str(self._port)),
            # This machine, by another name than the local door's.
            ("MASTER_IP", "127.0.0.1"),
            # The environment that runs the tests is ready; a copy would be set up for a minute.
            ("make build-distributed", f"make -o ready PY={sys.executable} build-distributed"),
            # Seconds of video; a test has no time for more.
            ('"duration": 60', '"duration": 1'),
            ('"scenario": "720p-h264",', '"scenario": "720p-h264", "parameters": {"duration": 1},'),
            ('"scenario": "4K60-h264",', '"scenario": "4K60-h264", "parameters": {"duration": 0.04},'),
        ):
            command = command.replace(written, meant)
        return command

    def follow(self, block: Block) -> list[str]:
        """Do what the block says; what is wrong with it, if anything."""
        if not block.is_command:
            return self._compare(block)
        if (role := block.attributes.get("plays")) == "remote worker":
            self._register_from_elsewhere()
        elif role is not None:
            return [f"nobody can play a {role}"]
        if "skip" in block.attributes or not shutil.which(block.attributes.get("if", "sh")):
            self._last = str
            return []
        if "terminal" in block.attributes:
            return self._open_terminal(block)
        return self._type(block)

    def _type(self, block: Block) -> list[str]:
        expected = int(block.attributes.get("fails", "0"))
        for _ in range(int(block.attributes.get("times", "1"))):
            ended = self._run(self.typed(block.text))
            # curl's own progress goes to the standard error, and so does ffrtmp's word that there is nothing.
            alone = ended.stdout or ended.stderr
            printed = alone if ended.returncode == 0 else f"{ended.stdout}\n{ended.stderr}"
            self._last = lambda: printed  # noqa: B023 - read after the loop, when the last one counts
            if ended.returncode != expected:
                return [f"exit code {ended.returncode}, printed: {ended.stdout}\n{ended.stderr}"]
        return []

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        """In the third terminal: variables live on from block to block, as they do for a person."""
        kept = self._home / "variables"
        kept.touch()
        keep = f"declare -p JOB_ID NODE_ID >{kept} 2>/dev/null || true"
        script = f"source {kept}\ntrap '{keep}' EXIT\n{command}"
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self._checkout,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )

    def _open_terminal(self, block: Block) -> list[str]:
        name = block.attributes["terminal"]
        log = self._home / f"{name}.log"
        answer = block.attributes.get("answer", "")
        terminal = Terminal(self.typed(block.text), log, answer, self._checkout, self._environment)
        self._terminals[name] = terminal
        self._last = terminal.printed
        return []

    def _compare(self, block: Block) -> list[str]:
        """Compare an output block with what was printed; a program in a terminal gets time to print it."""
        terminal = self._terminals.get(block.attributes.get("terminal", ""))
        shown = Block(block.line, block.language, block.attributes, self.typed(block.text))
        printed = self._last if terminal is None else terminal.printed
        deadline = time.monotonic() + PATIENCE
        alive = terminal is not None or any(printed == t.printed for t in self._terminals.values())
        while (wrong := complaints(shown, printed())) and alive and time.monotonic() < deadline:
            time.sleep(0.05)
        return [f"{line}; printed: {printed()}" for line in wrong]

    def _register_from_elsewhere(self) -> None:
        """What the master sees of a worker on another machine: a registration not by the local door."""
        fields = {"id": str(uuid.uuid4()), "credential": "c" * 43, "address": "worker-02"}
        requests.post(
            f"{self.url}/nodes/register",
            # It takes no jobs: nobody is there who could run them.
            json={**fields, "run_unlabeled": False},
            headers={"Via": "1.1 proxy"},
            verify=str(self._home / ".local/state/ffmpeg-rtmp/master/tls/ca.pem"),
            timeout=10,
        ).raise_for_status()

    def all_jobs_finished(self) -> None:
        """Wait until no job runs."""
        ca = str(self._home / ".local/state/ffmpeg-rtmp/master/tls/ca.pem")
        running = f"{self.url}/jobs?status=running"
        wait_until(
            lambda: requests.get(running, verify=ca, timeout=10).json()["count"] == 0, "no job runs", PATIENCE
        )

    def close(self) -> dict[str, int]:
        """Stop what runs, the newest first; the exit codes."""
        return {name: self._terminals[name].stop() for name in reversed(self._terminals)}
