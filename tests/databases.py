"""A real PostgreSQL of the tests' own: in a directory of its own, reached by a socket only, and synced."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg

from common.model import Now
from master.store.postgres.store import PostgresStore
from tests.parts import missing

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_PATIENCE = 60.0
_numbers = count(1)


def _programs() -> Path:
    """Where initdb is: on PATH, or where Debian puts it."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[-3])
    if not places:
        missing("PostgreSQL is not installed (Debian's package postgresql)")
    return places[-1].parent


def _user() -> str | None:
    """PostgreSQL does not run as root: then it runs as somebody who may do nothing else."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Server:
    """A running server. Each farm in it has a schema of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._programs = _programs()
        self._user = _user()
        self._process: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            shutil.chown(directory, self._user)
        self._run(
            "initdb",
            "--pgdata=data",
            "--username=farm",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        )

    @property
    def url(self) -> str:
        """Of the database, without a schema."""
        return f"postgresql:///postgres?user=farm&host={quote(str(self._directory), safe='')}"

    def new_schema(self) -> str:
        """The URL of an empty schema."""
        name = f"farm_{next(_numbers)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"create schema {name}".encode())
        return f"{self.url}&options={quote(f'-csearch_path={name}')}"

    def start(self, *settings: str) -> None:
        """Returns when it answers. `settings`: as `name=value`."""
        command = [
            str(self._programs / "postgres"),
            "-D",
            "data",
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={self._directory}",
            "-c",
            "fsync=on",
            "-c",
            "max_connections=200",
            "-c",
            "shared_buffers=32MB",
            *(word for setting in settings for word in ("-c", setting)),
        ]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._directory,
                user=self._user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_it_answers()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: it ends at once, and in order; SIGQUIT: as a crash does."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_PATIENCE)
            self._process = None

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or (self._process and self._process.poll() is not None):
                    raise AssertionError((self._directory / "log").read_text()) from None
                time.sleep(0.02)
            else:
                return

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self._directory,
            user=self._user,
            check=True,
            capture_output=True,
        )


class Stores:
    """Opens the store of a directory: the same schema for the same directory, as after a restart."""

    def __init__(self, running: Server) -> None:
        self._server = running
        self._urls: dict[Path, str] = {}

    def __call__(self, directory: Path, _clock: object, _segment_bytes: int) -> PostgresStore:
        if directory not in self._urls:
            self._urls[directory] = self._server.new_schema()
        return PostgresStore(self._urls[directory], moment=tests_time)


def tests_time(now: Now, _at: object) -> Now:
    """The database's clock is the test's, and nobody sets it: it goes as `FakeClock.mono` does."""
    return Now(BEGINNING + timedelta(seconds=now.mono - 1000.0), now.mono)


@contextmanager
def server(*settings: str) -> Iterator[Server]:
    """A server that runs, and leaves nothing behind. `settings`: see `Server.start`."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as directory:
        running = Server(Path(directory))
        running.start(*settings)
        try:
            yield running
        finally:
            running.stop(signal.SIGQUIT)
