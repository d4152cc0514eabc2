"""What came of an input is compared with it, as exit code 0 proves nothing: frames, times, tracks, light."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.probed import Probe
from agent.verify import verify
from common.scenarios import SCENARIOS
from common.settings import AudioTrack, Colour, ContentLight, EncodeSettings, Source, resolve

PQ = Colour("bt2020", "smpte2084", "bt2020nc", "tv")
FILM = Source(
    2.0,
    1280,
    720,
    (AudioTrack("ac3", 6), AudioTrack("aac", 2, number=1)),
    frames=47,
    frame_rate=23.5,
    span=1.953,
    depth=10,
    colour=PQ,
)
AAC = (AudioTrack("aac", 6), AudioTrack("aac", 2))
GOOD = Probe(
    1280, 720, 24.0, "h264", "yuv420p10le", 47, 2.0, 2e6, 500_000, "aac", 2.0, 2.0, 0.0,
    span=1.9535, colour=PQ, audio=AAC,
)  # fmt: skip


def settings(**parameters: str | float) -> EncodeSettings:
    return resolve(SCENARIOS["720p30-h264"], parameters, FILM)


def test_what_keeps_all_of_it_passes() -> None:
    assert verify(GOOD, settings()) is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (replace(GOOD, frames=46), "the number of frames is 46 instead of 47"),
        (replace(GOOD, frames=48), "the number of frames is 48 instead of 47"),
        (replace(GOOD, span=1.92), "the last frame comes 1.92 s after the first instead of 1.953 s"),
        (replace(GOOD, rotation=90), "the rotation is 90 degrees instead of 0 degrees"),
        (replace(GOOD, sample_aspect=(64, 45)), "its pixels are 64:45, and no squares"),
        (replace(GOOD, audio=AAC[:1]), "the sound is aac instead of aac, aac"),
        (replace(GOOD, colour=Colour()), "the transfer is unknown instead of smpte2084"),
        (replace(GOOD, pixel_format="yuv420p"), "the pixel format is yuv420p instead of yuv420p10le"),
    ],
)
def test_what_was_lost_is_told(wrong: Probe, words: str) -> None:
    sentence = verify(wrong, settings())
    assert sentence is not None
    assert words in sentence


def test_copied_sound_has_the_inputs_codecs() -> None:
    assert "the sound is aac, aac instead of ac3, aac" in str(verify(GOOD, settings(audio="copy")))
    copied = replace(GOOD, audio=(AudioTrack("ac3", 6), AudioTrack("aac", 2)))
    assert verify(copied, settings(audio="copy")) is None


def test_what_was_mapped_to_the_usual_range_does_not_say_that_it_is_high() -> None:
    plain = replace(GOOD, pixel_format="yuv420p", colour=Colour("bt709", "bt709", "bt709", "tv"))
    assert verify(plain, settings(hdr="tonemap")) is None
    marked = replace(plain, light=ContentLight(1000, 400))
    assert "still says that its dynamic range is high" in str(verify(marked, settings(hdr="tonemap")))


def test_a_full_range_has_a_pixel_format_of_its_own_and_is_no_difference() -> None:
    plain = replace(GOOD, pixel_format="yuvj420p", colour=Colour("bt709", "bt709", "bt709", "pc"))
    assert verify(plain, settings(hdr="tonemap")) is None
