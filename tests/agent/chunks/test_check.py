"""A chunk that is not what its window says is refused, with what differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.chunks.check import asked, wrong
from agent.probed import Counted, Probe
from common.model import Window
from common.scenarios import SCENARIOS
from common.settings import EncodeSettings, Source, resolve

WINDOW = Window(20, 40, 12, (2000, 4000, 1200), (1, 2500), 0.0)
"""Frames of 100 ticks."""
PROBE = Probe(320, 180, 25.0, "h264", "yuv420p", 28, 1.12, None, 1000, None, None, 1.12, None)
COUNTED = Counted(PROBE, 28, (0, 4096), (True, True), (1, 12800))
"""Its own clock is another one: a frame lasts 512 of it."""


@pytest.fixture
def settings() -> EncodeSettings:
    return resolve(SCENARIOS["480p-h264"], {"crf": 23}, Source(10, 320, 180, frames=250, frame_rate=25))


def test_one_that_is_as_it_was_asked_for_is_taken(settings: EncodeSettings) -> None:
    assert asked(WINDOW) == [0, 8]
    assert wrong(COUNTED, WINDOW, settings) is None


def test_a_picture_of_the_full_range_has_the_same_format(settings: EncodeSettings) -> None:
    assert wrong(replace(COUNTED, probe=replace(PROBE, pixel_format="yuvj420p")), WINDOW, settings) is None


@pytest.mark.parametrize(
    ("counted", "sentence"),
    [
        (replace(COUNTED, frames=27), "28 frames, 27 of them at a time of their own, instead of 28"),
        (replace(COUNTED, probe=replace(PROBE, frames=29)), "29 frames, 28 of them"),
        (replace(COUNTED, probe=replace(PROBE, width=318)), "the size of the chunk is 318x180 instead"),
        (replace(COUNTED, probe=replace(PROBE, codec="vp9")), "the codec of the chunk is vp9"),
        (replace(COUNTED, probe=replace(PROBE, pixel_format="yuv420p10le")), "the pixel format of the chunk"),
        (
            replace(COUNTED, shown=(0, 4097)),
            "frame 8 of the chunk is shown at 0.320078 s instead of 0.32",
        ),
        (replace(COUNTED, shown=(1, 4096)), "frame 0 of the chunk is shown at"),
        (replace(COUNTED, cut=(False, True)), "frame 0 of the chunk is no key frame"),
        (replace(COUNTED, cut=(True, False)), "frame 8 of the chunk is no key frame"),
    ],
)
def test_what_differs_is_said(counted: Counted, sentence: str, settings: EncodeSettings) -> None:
    assert sentence in (wrong(counted, WINDOW, settings) or "nothing")
