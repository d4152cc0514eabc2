"""What is known of an input decides what nobody asked for: depth, times, tracks."""

from __future__ import annotations

from typing import Any

import pytest

from common.scenarios import SCENARIOS
from common.settings import (
    AudioTrack,
    Colour,
    EncodeSettings,
    Source,
    SubtitleTrack,
    UnsuitableError,
    resolve,
)
from common.settings.tracks import channels, left_out, sounds, subtitles

PQ = Colour("bt2020", "smpte2084", "bt2020nc", "tv")


def settings(source: Source, **parameters: Any) -> EncodeSettings:
    return resolve(SCENARIOS["720p30-h264"], parameters, source)


def test_each_frame_is_encoded_unless_a_rate_is_asked_for() -> None:
    film = Source(10, 1280, 720, frames=237, frame_rate=23.7, variable=True)
    assert (settings(film).every_frame, settings(film).frames, settings(film).fps) == (True, 237, 23.7)
    assert settings(film).gop == 47
    even = settings(film, fps=25)
    assert (even.every_frame, even.frames, even.gop) == (False, 250, 50)


@pytest.mark.parametrize(
    ("depth", "colour", "asked", "expected"),
    [
        (8, Colour(), {}, "yuv420p"),
        (10, Colour(), {}, "yuv420p10le"),
        (12, Colour(), {"codec": "av1"}, "yuv420p10le"),
        (10, Colour(), {"pixel_format": "yuv420p"}, "yuv420p"),
        (10, PQ, {}, "yuv420p10le"),
        (10, PQ, {"hdr": "tonemap"}, "yuv420p"),
        (10, PQ, {"hdr": "tonemap", "pixel_format": "yuv420p10le"}, "yuv420p10le"),
        (10, Colour(), {"hdr": "tonemap"}, "yuv420p10le"),
    ],
)
def test_the_depth_is_the_inputs(depth: int, colour: Colour, asked: dict[str, Any], expected: str) -> None:
    assert settings(Source(1, 640, 360, depth=depth, colour=colour), **asked).pixel_format == expected


def test_a_high_dynamic_range_is_not_squeezed_into_8_bits() -> None:
    with pytest.raises(UnsuitableError, match="needs 10 bits"):
        settings(Source(1, 640, 360, depth=10, colour=PQ), pixel_format="yuv420p")


@pytest.mark.parametrize(
    ("given", "encoded"), [(1, 1), (2, 2), (3, 6), (5, 6), (6, 6), (7, 8), (8, 8), (16, 8)]
)
def test_sound_has_a_layout_that_all_know(given: int, encoded: int) -> None:
    assert channels(AudioTrack("flac", given)) == encoded


def test_what_a_container_cannot_hold_is_told() -> None:
    film = Source(
        1,
        640,
        360,
        (AudioTrack("aac", 2), AudioTrack("aac", 2, number=1)),
        (SubtitleTrack("subrip", text=True), SubtitleTrack("hdmv_pgs_subtitle", text=False, number=1)),
    )
    mkv, hls = settings(film, container="mkv"), settings(film, container="hls")
    assert [encoder for _, encoder in subtitles(mkv)] == ["copy", "copy"]
    assert left_out(mkv) == ()
    assert [track.number for track in sounds(hls)] == [0]
    assert left_out(hls) == (
        "a track of sound was left out: hls holds one",
        "2 tracks of subtitles were left out: hls holds no hdmv_pgs_subtitle, subrip",
    )
    assert left_out(settings(film, container="hls", audio="none", subtitles="none")) == ()


@pytest.mark.parametrize(
    ("container", "codec", "fits"), [("mkv", "dts", True), ("mp4", "dts", False), ("mpegts", "ac3", True)]
)
def test_sound_is_copied_only_where_it_can_be(container: str, codec: str, fits: bool) -> None:
    film = Source(1, 640, 360, (AudioTrack(codec, 2),))
    if fits:
        assert settings(film, container=container, audio="copy").audio == "copy"
    else:
        with pytest.raises(UnsuitableError) as refused:
            settings(film, container=container, audio="copy")
        assert refused.value.field == "audio"


def test_sound_that_is_copied_cannot_become_louder() -> None:
    with pytest.raises(UnsuitableError) as refused:
        settings(Source(1, 640, 360, (AudioTrack("aac", 2),)), audio="copy", loudness=-23)
    assert refused.value.field == "loudness"
