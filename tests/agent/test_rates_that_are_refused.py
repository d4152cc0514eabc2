"""What an encoder cannot do with its bits is refused before it is queued, by the name of the parameter."""

from __future__ import annotations

import pytest

from common.model import Value
from common.scenarios import SCENARIOS
from common.settings import Rate, UnsuitableError, resolve


def rate(**parameters: Value) -> Rate:
    return resolve(SCENARIOS["720p30-h264"], parameters).rate


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"two_pass": True, "codec": "av1"}, "two_pass"),
        ({"two_pass": True, "crf": 20}, "two_pass"),
        ({"two_pass": True, "target_vmaf": 90}, "two_pass"),
        ({"maxrate": "1M", "bitrate": "1M"}, "maxrate"),
        ({"maxrate": "1M"}, "maxrate"),
        ({"maxrate": "200M", "crf": 30, "codec": "av1"}, "maxrate"),
        ({"crf": 20, "target_vmaf": 90}, "crf"),
        ({"bitrate": "1M", "target_vmaf": 90}, "bitrate"),
        ({"crf": 52}, "crf"),
    ],
)
def test_it_is_named(parameters: dict[str, Value], field: str) -> None:
    with pytest.raises(UnsuitableError) as error:
        rate(**parameters)
    assert error.value.field == field


def test_who_has_no_two_passes_is_told_who_has() -> None:
    with pytest.raises(UnsuitableError, match="use h264, h265, vp9"):
        rate(two_pass=True, codec="av1")


def test_the_rest_goes_together() -> None:
    assert rate(two_pass=True, bitrate="2M") == Rate(bitrate=2_000_000, passes=2)
    assert rate(crf=20.5, maxrate="3M") == Rate(crf=20.5, maxrate=3_000_000)
    assert rate(target_vmaf=93, maxrate="3M") == Rate(maxrate=3_000_000, target_vmaf=93)


def test_a_crf_is_rounded_where_the_encoder_knows_whole_numbers_only() -> None:
    assert rate(crf=30.6, codec="vp9").crf == 31
    assert rate(crf=30.6, codec="av1").crf == 31
    assert rate(crf=30.6, codec="h265").crf == 30.6
