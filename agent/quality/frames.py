"""What a comparison wrote about each frame: read with care, as ffmpeg had hostile files to decode."""

from __future__ import annotations

import csv
import math
import os
import re
import stat
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

METHODS = ("vmaf", "psnr", "ssim", "xpsnr")
"""In the order in which they are compared and listed."""
OUTPUT_TIMES, REFERENCE_TIMES = "output.times", "reference.times"
LOGS = {"vmaf": "vmaf.csv", "psnr": "psnr.log", "ssim": "ssim.log", "xpsnr": "xpsnr.log"}
TICKS = 1_000_000
"""Of the times that are written, in a second."""

_MOST_LINE = 4096
_FRAME = re.compile(r"frame:\d+ +pts:(-?\d{1,18}) ", re.ASCII)
_NUMBER = r"(-?[0-9]{1,6}(?:\.[0-9]{1,9})?|inf)"
_PATTERNS = {
    "psnr": re.compile(rf"lavfi\.psnr\.psnr_avg={_NUMBER}$", re.ASCII),
    "ssim": re.compile(rf"n:\d+ .*All:{_NUMBER} ", re.ASCII),
    "xpsnr": re.compile(
        rf"n: *\d+ +XPSNR y: {_NUMBER}(?: +XPSNR u: {_NUMBER} +XPSNR v: {_NUMBER})?", re.ASCII
    ),
}


class UnreadableError(ValueError):
    """What was written is not what a comparison writes; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Frames:
    """All that a comparison wrote."""

    output: array[float]
    """When each frame of the output is shown: seconds, as the file has it."""
    reference: array[float]
    values: Mapping[str, array[float]]
    """By method, one for each pair."""


def read(directory: Path, methods: Iterable[str], depth: int) -> Frames:
    """What a comparison of pictures of `depth` bits left in `directory`; `UnreadableError`."""
    values = {}
    for method in methods:
        with _opened(directory / LOGS[method]) as lines:
            found = _vmaf(lines) if method == "vmaf" else _matches(lines, method)
            values[method] = array("d", (_finite(value, method, depth) for value in found))
    return Frames(_times(directory / OUTPUT_TIMES), _times(directory / REFERENCE_TIMES), values)


def ceiling(depth: int) -> float:
    """The most decibels that a frame gets: those of an identical one would be infinite. As libvmaf has it
    (`psnr_max`): 60 for 8 bits, 72 for 10, 84 for 12.
    """
    return 6.0 * depth + 12


def table(frames: Frames) -> Iterator[list[str]]:
    """The values as rows: a heading, then `frame` from 0, `time` in seconds from the first, and values."""
    names = [method for method in METHODS if method in frames.values]
    yield ["frame", "time", *names]
    for number, time in enumerate(frames.output):
        values = (f"{frames.values[name][number]:.6f}" for name in names)
        yield [str(number), f"{time - frames.output[0]:.6f}", *values]


def _times(path: Path) -> array[float]:
    times = array("d")
    with _opened(path) as lines:
        for line in lines:
            found = _FRAME.match(line)
            if found:
                times.append(int(found[1]) / TICKS)
    return times


def _vmaf(lines: Iterator[str]) -> Iterator[float]:
    try:
        for row in csv.DictReader(lines):
            yield float(row["vmaf"])
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise UnreadableError("the log of libvmaf has a line without a VMAF") from error


def _matches(lines: Iterator[str], method: str) -> Iterator[float]:
    """One value for each line that has one; of several (one for each plane) the least, as ffmpeg sums up."""
    for line in lines:
        found = _PATTERNS[method].match(line)
        if found:
            yield min(float(number) for number in found.groups() if number is not None)


def _finite(value: float, method: str, depth: int) -> float:
    if method in ("psnr", "xpsnr"):
        value = min(value, ceiling(depth))
    if not math.isfinite(value):
        raise UnreadableError(f"the log of {method} has a value that is no number")
    return value


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a regular file, and of nothing else that was put there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise UnreadableError(f"there is no {path.name}: {error.strerror}") from error
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnreadableError(f"{path.name} is no regular file")
        yield iter(lambda: file.readline(_MOST_LINE), "")
