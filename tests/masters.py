"""Real masters as processes, started from the command line as their users do, and clients of them."""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import pytest
import requests

from tests.forked import ForkedProcess, program, run_forked, unchanged

ROOT = Path(__file__).parents[1]
MASTER = [sys.executable, "-c", "from master.cli import main; main(prog_name='master')"]
"""The command line of the master, without its flags."""
IN_A_TEST = "PYTEST_VERSION" in os.environ
"""pytest sets it while it runs."""


def free_port() -> int:
    """A port that no outgoing connection can take meanwhile: below those that the system gives to them."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = secrets.choice(range(max(1024, first - 20_000), first))
        with socket.socket() as probe:
            # As the master does: what lingers of an earlier connection keeps nobody out.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                probe.listen()
                return port


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 15.0, most: float = 0.1) -> Any:
    """The condition's first true value; fails the test when the time is over. `most`: see `looks`."""
    deadline = time.monotonic() + seconds
    for _ in looks(most):
        if time.monotonic() > deadline:
            break
        if value := condition():
            return value
    return pytest.fail(f"{what}: not within {seconds} s")


def looks(most: float = 0.1) -> Iterator[None]:
    """One for each look at something that is waited for, without end; the time between them is slept.

    The longer it takes, the rarer they get: a look that asks a master takes CPU time from what is waited for.
    It is seen a sixth later than it could be, and `most` seconds, at most.
    """
    begun = time.monotonic()
    while True:
        yield
        time.sleep(min(most, max(0.01, (time.monotonic() - begun) / 6)))


def run_master(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A master that is expected to end by itself; a forked one (`tests.forked`)."""
    return run_forked(program("master", flags), environment)


class Client(requests.Session):
    """Speaks to one master, and trusts its CA only. Paths take the place of addresses."""

    def __init__(self, url: str, ca: Path, token: str | None = None) -> None:
        super().__init__()
        self.url = url
        self.trust_env = False
        self.verify = str(ca)
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", 30)
        return super().request(method, self.url + url, *args, **kwargs)


class Process(Protocol):
    """As much of `subprocess.Popen` as is needed."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> Any: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Master:
    """One running master."""

    def __init__(
        self,
        state_dir: Path,
        port: int,
        flags: list[str],
        environment: dict[str, str],
        prepare: Callable[[], None] | None = unchanged,
    ) -> None:
        """`prepare`: see `tests.forked.program`; None: the program is started, and not forked."""
        self.state_dir = state_dir
        self.port = port
        self.url = f"https://localhost:{port}"
        self.ca = state_dir / "tls/ca.pem"
        self.log = state_dir.with_name(f"{state_dir.name}.log")
        self.process = self._spawn(flags, environment, prepare)

    def _spawn(
        self, flags: list[str], environment: dict[str, str], prepare: Callable[[], None] | None
    ) -> Process:
        if prepare is not None:
            return ForkedProcess(program("master", flags, prepare), self.log, environment)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*MASTER, *flags],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
                # A group of its own, so that a kill can reach its worker too.
                start_new_session=True,
            )

    @property
    def token(self) -> str:
        """The operator's."""
        return (self.state_dir / "operator.token").read_text().strip()

    def client(self, token: str | None = None) -> Client:
        return Client(self.url, self.ca, token)

    def ready(self) -> Master:
        wait_until(self.healthy, "the master answers", 30)
        return self

    def healthy(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"the master ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
        if not self.ca.exists():
            return False
        with self.client() as client:
            try:
                return client.get("/health").ok
            except (OSError, requests.RequestException):
                return False

    def worker_pid(self) -> int | None:
        """The process that serves; None while there is none."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids = children.read_text().split() if children.exists() else []
        return int(pids[0]) if pids else None

    def stop(self) -> int:
        """End it in order; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)

    def kill(self, *, worker_too: bool = True) -> None:
        """End it at once (kill -9), and return when nobody uses its state directory any more."""
        if worker_too:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait(timeout=10)
        wait_until(self._unlocked, "the state directory is free")

    def _unlocked(self) -> bool:
        path = self.state_dir / "lock"
        if not path.exists():
            return True
        with path.open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True


def launch_master(
    state_dir: Path,
    *,
    port: int | None = None,
    environment: dict[str, str] | None = None,
    prepare: Callable[[], None] | None = unchanged if IN_A_TEST else None,
    **flags: Any,
) -> Master:
    """Start a master, and do not wait for it. `lease="2s"` stands for `--lease 2s`, and so on.

    Tests fork it, and benchmarks start the program: see `Master`.
    """
    port = port or free_port()
    listed = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    arguments = [f"--port={port}", f"--state-dir={state_dir}", *listed]
    return Master(state_dir, port, arguments, environment or {}, prepare)


def start_master(state_dir: Path, **how: Any) -> Master:
    """Start a master as `launch_master` does, and wait until it serves."""
    master = launch_master(state_dir, **how)
    try:
        return master.ready()
    except BaseException:
        master.stop()
        raise


@contextmanager
def patient_master(state_dir: Path) -> Iterator[Master]:
    """It loses no node or lease while another test is busy, and must end well and without a mistake."""
    running = start_master(state_dir, lease="1h", heartbeat_timeout="1h")
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()
