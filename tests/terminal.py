"""A program in a terminal: what is on its screen, and keys for it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import pyte
import pytest

from tests.masters import ROOT, wait_until


class Terminal:
    """Runs one program; a thread reads what it writes."""

    def __init__(self, argv: Sequence[str], environment: dict[str, str], columns: int = 80, lines: int = 24):
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self.written = b""
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(argv[0], list(argv), {**environment, "TERM": "xterm-256color"})
        self.resize(columns, lines)
        self._status: int | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            select.select([self._descriptor], [], [], 1.0)
            try:
                data = os.read(self._descriptor, 65536)
            except OSError:  # the program has ended
                return
            if not data:
                return
            with self._lock:
                self.written += data
                self._stream.feed(data)

    @property
    def text(self) -> str:
        """What is on the screen."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def shows(self, text: str, seconds: float = 30.0) -> str:
        """The screen once `text` is on it."""

        def look() -> str | None:
            found = self.text
            return found if text in found else None

        try:
            return str(wait_until(look, f"{text!r} is on the screen", seconds))
        except pytest.fail.Exception:
            return pytest.fail(f"{text!r} is not on the screen:\n{self.text}")

    def resize(self, columns: int, lines: int) -> None:
        """The window has another size now."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        with self._lock:
            self._screen.resize(lines, columns)

    def press(self, keys: str) -> None:
        """Somebody types."""
        os.write(self._descriptor, keys.encode())

    def ends(self, seconds: float = 60.0) -> int:
        """Its exit code."""
        deadline = time.monotonic() + seconds
        while self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                pytest.fail(f"it did not end:\n{self.text}")
            else:
                time.sleep(0.02)
        self._thread.join(5)
        return self._status

    def close(self) -> None:
        """End it, however far it is."""
        if self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
        os.close(self._descriptor)
