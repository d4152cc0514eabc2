"""Parameters that contradict each other, or the codec, are refused before they are queued."""

from __future__ import annotations

from typing import Any

import pytest

from common.scenarios import SCENARIOS
from common.settings import AudioTrack, Source, UnsuitableError, parse_bitrate, resolve

SOUND = Source(3.0, 1280, 720, (AudioTrack("aac", 2),))
SILENT = Source(3.0, 1280, 720)


@pytest.mark.parametrize(
    ("scenario", "parameters", "field"),
    [
        ("720p-h264", {"crf": 20, "bitrate": "1000k"}, "crf"),
        ("720p-h264", {"crf": 52}, "crf"),
        ("720p-h264", {"preset": "8"}, "preset"),
        ("480p30-av1", {"preset": "veryfast"}, "preset"),
        ("480p30-av1", {"pixel_format": "yuv444p"}, "pixel_format"),
        ("480p30-av1", {"width": 62}, "width"),
        ("480p30-av1", {"crf": 0}, "crf"),
        ("480p30-av1", {"gop": 1}, "gop"),
        ("480p30-av1", {"bitrate": "101M"}, "bitrate"),
        ("480p30-av1", {"threads": 7}, "threads"),
        ("720p30-vp9", {"audio": "aac"}, "audio"),
        ("720p-h264", {"duration": 0.01, "fps": 10}, "duration"),
    ],
)
def test_what_cannot_be_encoded_names_its_parameter(
    scenario: str, parameters: dict[str, Any], field: str
) -> None:
    with pytest.raises(UnsuitableError) as refused:
        resolve(SCENARIOS[scenario], parameters)
    assert refused.value.field == field


def test_parameters_win_over_the_scenario_and_the_rest_are_its_defaults() -> None:
    settings = resolve(SCENARIOS["1080p60-h265"], {"codec": "vp9", "fps": 29.97, "duration": 2})
    assert (settings.encoder, settings.preset, settings.container) == ("libvpx-vp9", "8", "webm")
    assert (settings.width, settings.height, settings.frames, settings.gop) == (1920, 1080, 60, 60)
    assert settings.rate.bitrate == 3_600_000


@pytest.mark.parametrize(
    ("text", "bits"), [("5000k", 5_000_000), ("2.5M", 2_500_000), ("800000", 800_000), ("10k", 10_000)]
)
def test_bitrates_are_read_as_people_write_them(text: str, bits: int) -> None:
    assert parse_bitrate(text) == bits


@pytest.mark.parametrize("text", ["", "k", "-5k", "5 k", "9k", "501M", "1e6", "5kk", "\u0665000k"])
def test_what_is_no_bitrate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="bitrate"):
        parse_bitrate(text)


@pytest.mark.parametrize(
    ("parameters", "source", "frames", "audio"),
    [
        ({}, SOUND, 90, "aac"),
        ({}, SILENT, 90, "none"),
        ({"duration": 2}, SOUND, 60, "aac"),
        ({"duration": 60}, SOUND, 90, "aac"),
        ({"audio": "none"}, SOUND, 90, "none"),
        ({"audio": "opus"}, SOUND, 90, "opus"),
        ({"audio": "opus"}, SILENT, 90, "none"),
        ({"codec": "vp9"}, SOUND, 90, "opus"),
    ],
)
def test_of_an_input_all_is_encoded_unless_less_is_asked_for(
    parameters: dict[str, Any], source: Source, frames: int, audio: str
) -> None:
    settings = resolve(SCENARIOS["720p30-h264"], parameters, source)
    assert (settings.frames, settings.audio) == (frames, audio)


def test_an_input_without_a_whole_picture_cannot_be_encoded() -> None:
    with pytest.raises(UnsuitableError, match="shorter than one frame"):
        resolve(SCENARIOS["720p30-h264"], {}, Source(0.0, 1280, 720))
