"""What ffmpeg's meters say of loudness is read, and silence is no number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.ffmpeg.sound import normalise
from agent.loudness import integrated, level, off_target
from common.scenarios import SCENARIOS
from common.settings import AudioTrack, EncodeSettings, Level, Source, resolve

SAID = """[Parsed_loudnorm_0 @ 0x55] [info]
{
"input_i" : "-27.61",
"input_tp" : "-4.47",
"input_lra" : "18.06",
"input_thresh" : "-39.20",
"output_i" : "-16.58",
"normalization_type" : "dynamic",
}""".splitlines()
LEVEL = Level(-27.61, -4.47, 18.06, -39.20)
SUMMARY = [
    "[info] Summary:",
    "  Integrated loudness:",
    "    I:         -23.1 LUFS",
    "    Threshold: -33.3 LUFS",
]


def settings(**parameters: float) -> EncodeSettings:
    source = Source(1, 640, 360, (AudioTrack("aac", 2),))
    return resolve(SCENARIOS["720p30-h264"], {"loudness": -23, **parameters}, source)


def test_the_level_of_a_track_is_read() -> None:
    assert level(SAID) == LEVEL


@pytest.mark.parametrize("value", ["-inf", "nan", "-70.00", "?"])
def test_silence_has_no_level(value: str) -> None:
    assert level([line.replace("-27.61", value) for line in SAID]) is None
    assert level([]) is None


def test_the_loudness_of_a_whole_is_the_last_that_was_said() -> None:
    assert integrated(["[info] I: -50.0 LUFS", *SUMMARY]) == -23.1
    assert integrated([line.replace("-23.1", "-70.0") for line in SUMMARY]) is None


def test_one_gain_is_asked_for_with_what_was_measured() -> None:
    assert normalise(-23, LEVEL) == (
        "loudnorm=I=-23:TP=-1:LRA=19.06:linear=true:measured_I=-27.61:measured_TP=-4.47"
        ":measured_LRA=18.06:measured_thresh=-39.2"
    )


def test_a_target_that_was_missed_is_told() -> None:
    asked = replace(settings(), levels=(LEVEL,))
    assert off_target(asked, -23.4) == ()
    assert "is -20.1 LUFS instead of -23: the peaks" in off_target(asked, -20.1)[0]
    assert off_target(asked, None) == ("the sound is silent: it was left as it is",)
