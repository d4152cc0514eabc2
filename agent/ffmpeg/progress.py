"""Reads what `ffmpeg -progress` prints, piece by piece. Pure."""

from __future__ import annotations

import math

from common.model import Progress

_MAX_LINE = 4096
"""Bytes. A longer line is not ffmpeg's: it is thrown away instead of collected."""


class ProgressParser:
    """Takes the output as it comes and gives the newest `Progress`.

    ffmpeg prints blocks of `key=value` lines, each ended by a line `progress=…`; a value
    it does not know is `N/A`, which becomes None.
    """

    def __init__(self, total_frames: int | None) -> None:
        self._total = total_frames
        self._rest = b""
        self._block: dict[str, str] = {}

    def feed(self, data: bytes) -> Progress | None:
        """The newest complete block in what has come so far; None if none was completed."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest if len(rest) <= _MAX_LINE else b""
        newest = None
        for line in lines:
            key, equals, value = line.decode("utf-8", "replace").partition("=")
            if not equals or len(line) > _MAX_LINE:
                continue
            if key.strip() == "progress":
                newest = self._progress()
                self._block = {}
            elif len(self._block) < 100:  # more keys are not ffmpeg's
                self._block[key.strip()] = value.strip()
        return newest

    def _progress(self) -> Progress:
        frame = _number(self._block.get("frame"))
        # out_time_ms is in microseconds too: an old mistake that ffmpeg keeps for its users.
        micros = _number(self._block.get("out_time_us", self._block.get("out_time_ms")))
        percent = None
        if frame is not None and self._total:
            percent = min(100.0, round(100.0 * frame / self._total, 4))
        return Progress(
            frame=None if frame is None else int(frame),
            fps=_number(self._block.get("fps")),
            speed=_number(self._block.get("speed", "").removesuffix("x")),
            out_time=None if micros is None else micros / 1_000_000,
            percent=percent,
        )


def _number(text: str | None) -> float | None:
    """The value, if it is a number from 0 up; None for N/A and for anything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
