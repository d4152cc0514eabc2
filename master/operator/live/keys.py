"""The keys that somebody presses, one by one, while something else is on the screen."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager


class Keys:
    """Reads the terminal."""

    def __init__(self, descriptor: int | None) -> None:
        """None: there is no terminal to read from."""
        self._descriptor = descriptor

    def pressed(self, seconds: float) -> str:
        """The keys that were pressed, as soon as there is one; nothing after as many seconds."""
        if self._descriptor is None:
            select.select([], [], [], seconds)
            return ""
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        if not ready:
            return ""
        data = os.read(self._descriptor, 64)
        if not data:  # the terminal is gone
            self._descriptor = None
            return "q"
        return data.decode("utf-8", "replace")


@contextmanager
def keys() -> Iterator[Keys]:
    """Those of standard input, without their being shown, for as long as the block lasts."""
    if not sys.stdin.isatty():
        yield Keys(None)
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield Keys(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
