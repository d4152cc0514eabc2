"""The last part of what ffmpeg logged, in bounded memory, and the line that says why it failed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

RING_BYTES = 64 * 1024
MAX_LINE = 1000
"""Characters; what is longer is cut."""

_CONTEXT = re.compile(r"^((?:\[[^\]]* @ 0x[0-9a-f]+\] )*)(?:\[(error|fatal|panic)\] )?(.*)$")
_ADDRESS = re.compile(r" @ 0x[0-9a-f]+")
_FOLLOW_UPS = (
    "Conversion failed",
    "Could not open encoder before EOF",
    "Error closing file",
    "Error muxing a packet",
    "Error parsing global options",
    "Error sending frames to consumers",
    "Error submitting a packet to the muxer",
    "Error while opening encoder",
    "Nothing was written into output file",
    "Task finished with error code",
    "Terminating thread with return code",
)
"""What ffmpeg prints after the line that tells the cause."""


class LogRing:
    """Keeps the last 64 KB, whatever is written to it.

    Written by the thread that reads ffmpeg, read by the one that reports. Text is split
    and decoded only when somebody asks, so a flood costs no more than copying it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tail = bytearray()
        self._seen = 0  # bytes ever written
        self._taken = 0  # bytes handed out by take()

    def write(self, data: bytes) -> None:
        """Adds to the end; what is older than the last 64 KB is forgotten."""
        with self._lock:
            self._seen += len(data)
            self._tail += data
            if len(self._tail) > 2 * RING_BYTES:  # twice, so that bytes are not moved at each write
                del self._tail[:-RING_BYTES]

    def take(self, *, final: bool = False) -> list[str]:
        """The lines completed since the last call; with `final` also one without an end.

        Where lines were forgotten before they were taken, the first line says so.
        """
        with self._lock:
            start = max(self._taken, self._seen - min(len(self._tail), RING_BYTES))
            data = bytes(self._tail[len(self._tail) - (self._seen - start) :]) if self._seen > start else b""
            missed = start - self._taken
            # A progress line of ffmpeg ends in a carriage return, other lines in a newline.
            whole = len(data) if final else max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
            if not whole:
                return []
            self._taken = start + whole
        lines = _split(data[:whole])
        if missed:
            lines = [f"[{missed} bytes of the log were left out]", *lines[1:]]
        return lines

    def lines(self) -> tuple[str, ...]:
        """All the lines that are kept, taken or not."""
        with self._lock:
            data, cut = bytes(self._tail[-RING_BYTES:]), self._seen > RING_BYTES
        return tuple(_split(data)[1 if cut else 0 :])


def _split(data: bytes) -> list[str]:
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return [line.rstrip()[:MAX_LINE] for line in text.split("\n") if line.strip()]


def reason(lines: Iterable[str]) -> str | None:
    """The line that tells best why ffmpeg failed: its last error that is not a mere follow-up.

    Without one marked as an error (a program that died early marks none), the last line.
    None for an empty log.
    """
    last_error = last_line = None
    for line in lines:
        match = _CONTEXT.match(line)
        if match is None or match[3].startswith(_FOLLOW_UPS) or not match[3].strip():
            continue
        text = _ADDRESS.sub("", match[1]) + match[3].strip()
        last_line = text
        if match[2]:
            last_error = text
    return last_error or last_line
