"""What is known of an input comes through its text as it was; a text that cannot be true is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from agent.chunks.facts import MOST_CHARACTERS, FactsError, another, from_text, to_text
from common.source import (
    MOST_TRACKS,
    AudioTrack,
    Colour,
    ContentLight,
    MasteringDisplay,
    Source,
    SubtitleTrack,
)

PLAIN = Source(duration=12.5, width=640, height=360)
RICH = Source(
    duration=3600.123456789,
    width=3840,
    height=1608,
    audio=(AudioTrack("aac", 6, 48_000, "deu"), AudioTrack("opus", 2, None, None, 3)),
    subtitles=(SubtitleTrack("subrip", text=True, language="fra", number=1),),
    frames=86_314,
    frame_rate=24000 / 1001,
    span=3600.08,
    variable=True,
    codec="h265",
    pixel_format="yuv420p10le",
    depth=10,
    rotation=270,
    mirrored=True,
    sample_aspect=Fraction(64, 45),
    interlaced=True,
    colour=Colour("bt2020", "smpte2084", "bt2020nc", "tv"),
    mastering=MasteringDisplay(
        (0.708, 0.292), (0.17, 0.797), (0.131, 0.046), (0.3127, 0.329), least=0.0001, most=1000.0
    ),
    light=ContentLight(1000, 400),
    size=7_000_000_000,
)


@pytest.mark.parametrize("source", [PLAIN, RICH], ids=["plain", "rich"])
def test_it_comes_through_as_it_was(source: Source) -> None:
    assert from_text(to_text(source)) == source


def test_equal_sources_are_equal_texts() -> None:
    assert to_text(replace(RICH)) == to_text(RICH)
    assert to_text(replace(RICH, rotation=90)) != to_text(RICH)


def test_the_largest_there_is_comes_through() -> None:
    track = AudioTrack("x" * 100, 64, 192_000, "abc-12345678", 31)
    words = SubtitleTrack("x" * 100, text=False, language="abc-12345678", number=31)
    source = replace(RICH, audio=(track,) * MOST_TRACKS, subtitles=(words,) * MOST_TRACKS)
    assert len(to_text(source)) < MOST_CHARACTERS
    assert from_text(to_text(source)) == source


def changed(**fields: Any) -> str:
    return json.dumps({**json.loads(to_text(RICH)), **fields})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "not understood", id="nothing"),
        pytest.param("null", "not understood", id="null"),
        pytest.param("[" * 20_000, "not understood", id="deep"),
        pytest.param("{}", "not understood", id="empty"),
        pytest.param(" " * (MOST_CHARACTERS + 1), "characters", id="long"),
        pytest.param(changed(more=1), "not understood", id="a field that there is not"),
        pytest.param(changed(width="640"), "not understood", id="a number as text"),
        pytest.param(changed(width=640.0), "not understood", id="half pixels"),
        pytest.param(changed(width=True), "not understood", id="true as a number"),
        pytest.param(changed(variable=1), "not understood", id="a number as true"),
        pytest.param(changed(codec="x" * 101), "not understood", id="a long word"),
        pytest.param(changed(codec=7), "not understood", id="a number as a word"),
        pytest.param(changed(duration=None), "not understood", id="no duration"),
        pytest.param(changed(sample_aspect=[1, 0]), "not understood", id="a pixel without height"),
        pytest.param(changed(sample_aspect=[1.5, 1]), "not understood", id="half an aspect"),
        pytest.param(changed(audio=[{"codec": "aac"}]), "not understood", id="half a track"),
        pytest.param(changed(audio=None), "not understood", id="no tracks at all"),
        pytest.param(to_text(RICH).replace("3600.123456789", "NaN"), "not understood", id="NaN"),
        pytest.param(to_text(RICH).replace("3600.123456789", "Infinity"), "not understood", id="endless"),
        pytest.param(to_text(RICH).replace("3600.123456789", "1e999"), "not understood", id="overflow"),
        pytest.param(changed(duration=0), "lasts 0.0 s", id="no time"),
        pytest.param(changed(duration=-1), "lasts -1.0 s", id="less than no time"),
        pytest.param(changed(duration=1e8), "lasts 100000000.0 s", id="years"),
        pytest.param(changed(width=0), "pixels", id="no width"),
        pytest.param(changed(height=100_000), "pixels", id="a tower"),
        pytest.param(changed(rotation=45), "turned by 45 degrees", id="aslant"),
        pytest.param(changed(sample_aspect=[-1, 1]), "pixels are none", id="a pixel inside out"),
        pytest.param(changed(depth=0), "pixels are none", id="no bits"),
        pytest.param(changed(depth=33), "pixels are none", id="many bits"),
        pytest.param(changed(frames=-1), "less than nothing", id="less than no frames"),
        pytest.param(changed(frame_rate=-0.5), "less than nothing", id="backwards"),
        pytest.param(changed(size=-1), "less than nothing", id="less than no bytes"),
        pytest.param(
            changed(audio=[{"codec": "a", "channels": 1, "sample_rate": None, "language": None, "number": 0}]
                    * (MOST_TRACKS + 1)), "too many tracks", id="many tracks",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_true_is_refused(text: str, why: str) -> None:
    with pytest.raises(FactsError, match=why) as caught:
        from_text(text)
    assert len(str(caught.value)) < 400


def test_a_file_of_another_size_is_another_file() -> None:
    text = to_text(RICH)
    assert another(text, 7_000_000_000) is None
    assert "7000000001 bytes, and had 7000000000" in str(another(text, 7_000_000_001))
    assert another(to_text(PLAIN), 1) is None
    assert another(None, 1) is None
