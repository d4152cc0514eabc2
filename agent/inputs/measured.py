"""An input that is open and known: what it is decides how it is encoded, and what that may take."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from agent.ffmpeg.source import MAX_PIXELS
from agent.files import Files
from agent.inputs.rules import InputFailedError, InputRules
from agent.inputs.source import open_input
from agent.probe import Probe, ProbeError
from common.settings import EncodeSettings, Source

_MOST_FPS = 240.0
"""What is believed of an input's frame rate."""
_LEAST_FPS = 0.01
_ROUNDING = 0.05
"""Seconds that the end of an input may be wrong by, as containers round times."""
_LEAST_MISSING = 0.25
"""Seconds at the end that say nothing, however short the input: a few pictures, or frames of sound."""


MOST_MISSING = 1.0
"""Seconds that a header may promise too much: some round up, or guess."""
MOST_MISSING_SHARE = 0.1
"""The same as a share of what it promises: of a clip of 3 s, more than a quarter is not rounding."""


@dataclass(frozen=True, slots=True)
class MeasuredInput:
    """An open file that is a video."""

    descriptor: int
    probed: Probe
    warnings: tuple[str, ...] = ()
    """What was not as it should be, and was used all the same."""

    def rewound(self) -> int:
        """The descriptor, to be read from the beginning by the next program that inherits it."""
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        return self.descriptor

    @property
    def source(self) -> Source:
        """What the settings need to know of it."""
        probed = self.probed
        whole = probed.begun is None or probed.begun == probed.frames
        return Source(
            duration=probed.end,
            width=probed.width,
            height=probed.height,
            audio=probed.audio,
            subtitles=probed.subtitles,
            frames=probed.frames if probed.begun is None else probed.begun,
            frame_rate=self._rate(),
            span=probed.span if whole else None,
            variable=probed.variable,
            codec=probed.codec,
            pixel_format=probed.pixel_format,
            depth=probed.depth or 8,
            rotation=probed.rotation,
            mirrored=probed.mirrored,
            sample_aspect=_aspect(*probed.sample_aspect),
            interlaced=probed.interlaced,
            colour=probed.colour,
            mastering=probed.mastering,
            light=probed.light,
            size=probed.size,
        )

    def _rate(self) -> float | None:
        """Frames per second: as the file says, but counted where that varies or cannot be."""
        probed = self.probed
        counted = (probed.frames - 1) / probed.span if probed.span and probed.frames > 1 else None
        stated = probed.frame_rate
        believed = stated is not None and 0 < stated <= _MOST_FPS and not probed.variable
        rate = stated if believed else counted
        return None if rate is None else min(max(rate, _LEAST_FPS), _MOST_FPS)

    @property
    def gap(self) -> str | None:
        """A sentence if it is not whole."""
        missing = self.probed.missing or 0.0
        promised = missing + self.probed.end
        if missing > min(MOST_MISSING, max(_LEAST_MISSING, promised * MOST_MISSING_SHARE)):
            return f"the input is cut off: its last {missing:.1f} s are missing"
        return "the input is damaged" if self.probed.damaged else None

    def uncertain(self, settings: EncodeSettings) -> int:
        """Frames of the output that may be missing, as the length of a last picture is not always known."""
        last = 1 / self.probed.frame_rate if self.probed.frame_rate else _ROUNDING
        return 1 + math.ceil(settings.fps * max(_ROUNDING, last))

    def burden(self, settings: EncodeSettings) -> EncodeSettings:
        """The encode by which limits are set: an input that is larger or faster has to be decoded."""
        return replace(
            settings,
            width=max(settings.width, self.probed.width),
            height=max(settings.height, self.probed.height),
            fps=max(settings.fps, min(self.probed.frame_rate or 0.0, _MOST_FPS)),
        )


@contextmanager
def measured_input(
    text: str,
    rules: InputRules,
    unfinished: Path,
    measure: Callable[[int], Probe],
    abort: threading.Event,
    files: Files | None = None,
) -> Iterator[MeasuredInput]:
    """`open_input`, measured; `input_invalid` if it is no video that we take."""
    with open_input(text, rules, unfinished, abort, files) as descriptor:
        yield measured_file(descriptor, measure)


def measured_file(descriptor: int, measure: Callable[[int], Probe]) -> MeasuredInput:
    """An open file, measured; `input_invalid` if it is no video that we take."""
    try:
        probed = measure(descriptor)
    except ProbeError as error:
        raise InputFailedError("input_invalid", f"{error}") from error
    if probed.width * probed.height > MAX_PIXELS:
        raise InputFailedError(
            "input_invalid",
            f"the picture of the input has {probed.width}x{probed.height} pixels; {MAX_PIXELS} are the most",
        )
    return MeasuredInput(descriptor, probed)


def _aspect(width: int, height: int) -> Fraction:
    return Fraction(width, height) if width > 0 and height > 0 else Fraction(1)
