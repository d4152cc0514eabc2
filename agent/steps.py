"""The steps that attempts are made of, and how many of them are expected. Pure.

The paces that are called usual were measured on two cores of a server (bench/estimate.py); those that depend
on how many there are say so. They matter until the agent has seen one step of the kind.
"""

from __future__ import annotations

from collections.abc import Sequence

from common.estimate import Step
from common.model import Confidence
from common.settings import CODECS, EncodeSettings
from common.statistics import MIN_RUNS, expected_runs, spread_of

_CHECK = 0.2
"""Seconds: a process starts, reads what was written once, and ends."""
_PUBLISH = 0.05
"""Seconds: what was made is hashed and gets its name."""
_READ = 0.0025
"""Seconds for a million pixels of two cores: the output is decoded, and what it was made of is made again."""
_MEASURE = {"vmaf": 0.0116, "psnr": 0.0005, "ssim": 0.001, "xpsnr": 0.005}
"""Seconds for a million pixels of two cores, beside that."""
_BEGIN = 10.0
"""Millions of pixels that are compared in the time in which a comparison begins."""
_CORES = 2
MACHINE = "machine"
"""The name by which a node keeps how slow it is, beside the machine on which all of this was measured
(`agent.ffmpeg.discover.Toolbox.slowness`)."""
_SECOND_PASSES = {
    "libx264": (0.8, 1.1, 1.05, 1.4, 2.0, 2.4, 2.8, 3.6, 4.5),
    "libx265": (0.95,),
    "libvpx-vp9": (4.0, 4.0, 4.0, 4.0, 5.0),
}
"""How many times as long as the first pass the second one takes, by preset, fastest first; the last one holds
for all slower ones (docs/progress.md). x264 makes its first pass at a fast preset whatever was asked for, and
libvpx has a first pass of its own; x265 does all of it twice."""
_SECOND_PASS = 1.0
"""Of other encoders."""
SPREAD = "spread of speeds"
"""The name by which a node keeps how much they vary."""
_LEAST_SPREAD = 0.001
_SAMPLES = 4
"""Probes of samples that a search takes (3.7 in the mean, docs/decisions/0036-spread-probes.md)."""


def encode(settings: EncodeSettings, which: int | None = None, frames: int | None = None) -> Step:
    """An encode, or one of its two passes; of as many `frames`, or of all."""
    kind = f"{settings.encoder} {settings.preset} {settings.width}x{settings.height}"
    amount = float(settings.frames if frames is None else frames)
    if which == 2:
        return Step(f"{kind} pass 2", amount, like=f"{kind} pass 1", factor=second_pass(settings))
    return Step(kind if which is None else f"{kind} pass {which}", amount)


def second_pass(settings: EncodeSettings) -> float:
    """How many times as long as the first one the second pass is expected to take."""
    presets, factors = CODECS[settings.codec].presets, _SECOND_PASSES.get(settings.encoder, (_SECOND_PASS,))
    slow = presets.index(settings.preset) if settings.preset in presets else 0
    return factors[min(slow, len(factors) - 1)]


def check() -> Step:
    """What was written is opened and counted."""
    return Step("check", 1.0, usual=_CHECK, like=MACHINE, factor=_CHECK)


def encodes(settings: EncodeSettings) -> list[Step]:
    """An encode with all its passes, and its check."""
    passes = [encode(settings)] if settings.rate.passes == 1 else [encode(settings, 1), encode(settings, 2)]
    return [*passes, check()]


def compare(methods: Sequence[str], width: int, height: int, frames: int, cores: int) -> Step:
    """A comparison of as many frames of that size."""
    usual = (_READ + sum(_MEASURE.get(method, 0.0) for method in methods)) * _CORES / max(1, min(cores, 16))
    amount = _BEGIN + width * height * frames / 1e6
    return Step(f"measure {' '.join(methods)}", amount, usual=usual, like=MACHINE, factor=usual)


def publish() -> Step:
    """What was made gets its name where it is wanted."""
    return Step("publish", 1.0, usual=_PUBLISH)


def more_runs(speeds: Sequence[float], confidence: Confidence, usual: float | None = None) -> int:
    """How many runs are expected after those with these speeds.

    `usual`: how much speeds vary on this node (`SPREAD`). Where nobody has seen that, two speeds do not tell
    it: before the least number of runs is done, it is expected.
    """
    if usual is None and len(speeds) < MIN_RUNS:
        return MIN_RUNS - len(speeds)
    return expected_runs(speeds, confidence, usual) - len(speeds)


def spread(speeds: Sequence[float]) -> dict[str, float]:
    """What a node keeps of how much these speeds vary: their standard deviation as a share of their mean."""
    found = spread_of(speeds)
    return {} if found is None else {SPREAD: max(_LEAST_SPREAD, found)}


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
