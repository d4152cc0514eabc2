"""The steps that attempts are made of, and how many of them are expected. Pure.

The paces that are called usual were measured on two cores of a server (bench/estimate.py); those that depend
on how many there are say so. They matter until the agent has seen one step of the kind.
"""

from __future__ import annotations

from collections.abc import Sequence

from common.estimate import Step
from common.model import Confidence
from common.settings import EncodeSettings
from common.statistics import MIN_RUNS, expected_runs

_CHECK = 0.5
"""Seconds: a process starts, reads what was written once, and ends."""
_PUBLISH = 0.05
"""Seconds: what was made is hashed and gets its name."""
_MEASURE = {"vmaf": 0.031, "psnr": 0.006, "ssim": 0.008, "xpsnr": 0.012}
"""Seconds for a million pixels, of two cores."""
_CORES = 2
_SECOND_PASS = 1.5
"""How many times as long as the first one it takes."""
_SAMPLES = 4
"""Probes of samples that a search takes (3.7 in the mean, docs/decisions/0036-spread-probes.md)."""


def encode(settings: EncodeSettings, which: int | None = None, frames: int | None = None) -> Step:
    """An encode, or one of its two passes; of as many `frames`, or of all."""
    kind = f"{settings.encoder} {settings.preset} {settings.width}x{settings.height}"
    amount = float(settings.frames if frames is None else frames)
    if which == 2:
        return Step(f"{kind} pass 2", amount, like=f"{kind} pass 1", factor=_SECOND_PASS)
    return Step(kind if which is None else f"{kind} pass {which}", amount)


def check() -> Step:
    """What was written is opened and counted."""
    return Step("check", 1.0, usual=_CHECK)


def encodes(settings: EncodeSettings) -> list[Step]:
    """An encode with all its passes, and its check."""
    passes = [encode(settings)] if settings.rate.passes == 1 else [encode(settings, 1), encode(settings, 2)]
    return [*passes, check()]


def compare(methods: Sequence[str], width: int, height: int, frames: int, cores: int) -> Step:
    """A comparison of as many frames of that size."""
    usual = sum(_MEASURE.get(method, 0.0) for method in methods) * _CORES / max(1, min(cores, 16))
    millions = width * height * frames / 1e6
    return Step(f"measure {' '.join(methods)}", millions, usual=usual)


def publish() -> Step:
    """What was made gets its name where it is wanted."""
    return Step("publish", 1.0, usual=_PUBLISH)


def more_runs(speeds: Sequence[float], confidence: Confidence) -> int:
    """How many runs are expected after those with these speeds.

    Of two speeds nobody can tell how much they vary: before the least number of runs is done, it is expected.
    """
    if len(speeds) < MIN_RUNS:
        return MIN_RUNS - len(speeds)
    return expected_runs(speeds, confidence) - len(speeds)


def repeats(settings: EncodeSettings, runs: int) -> list[Step]:
    """As many encodes."""
    return [step for _ in range(runs) for step in encodes(settings)]


def more_samples(done: int) -> int:
    """How many probes of samples are expected after as many, if there is one more at all."""
    return max(1, _SAMPLES - done)


def stream(settings: EncodeSettings) -> Step:
    """An encode in real time."""
    return Step("stream", settings.duration, usual=1.0)


def copy() -> Step:
    """A recorded stream becomes a file."""
    return Step("copy", 1.0, usual=_CHECK)


def record(seconds: float) -> Step:
    """A live stream is recorded."""
    return Step("record", seconds, usual=1.0)
