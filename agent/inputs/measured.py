"""An input that is open and known: what it is decides how it is encoded, and what that may take."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from agent.ffmpeg.source import MAX_PIXELS
from agent.inputs.rules import InputFailedError, InputRules
from agent.inputs.source import open_input
from agent.probe import Probe, ProbeError
from common.settings import EncodeSettings, Source

_MOST_FPS = 240.0
"""What is believed of an input's frame rate."""
_ROUNDING = 0.05
"""Seconds that the end of an input may be wrong by, as containers round times."""


MOST_MISSING = 1.0
"""Seconds that a header may promise too much: some round up, or guess."""


@dataclass(frozen=True, slots=True)
class MeasuredInput:
    """An open file that is a video."""

    descriptor: int
    probed: Probe
    warnings: tuple[str, ...] = ()
    """What was not as it should be, and was used all the same."""

    @property
    def source(self) -> Source:
        """What the settings need to know of it."""
        return Source(self.probed.end, audio=self.probed.audio_codec is not None)

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
    text: str, rules: InputRules, unfinished: Path, measure: Callable[[int], Probe], abort: threading.Event
) -> Iterator[MeasuredInput]:
    """`open_input`, measured; `input_invalid` if it is no video that we take."""
    with open_input(text, rules, unfinished, abort) as descriptor:
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
    if probed.missing is not None and probed.missing > MOST_MISSING:
        raise InputFailedError(
            "input_invalid", f"the input is cut off: its last {probed.missing:.1f} s are missing"
        )
    return MeasuredInput(descriptor, probed)
