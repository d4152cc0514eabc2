"""The rungs of a ladder follow from the source: none above it, at least one, its shape kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ladder import Picture, default_bitrate, parse_ladder, rungs

AUTO = ("auto",)


def names(*asked: str, width: int = 1920, height: int = 1080) -> list[str]:
    return [rung.name for rung in rungs(asked, Picture(width, height, 30.0), "h264")]


def test_a_scenarios_size_at_its_rate_gets_the_scenarios_bitrate() -> None:
    found = {rung.name: rung.bitrate for rung in rungs(AUTO, Picture(3840, 2160, 30.0), "h264")}
    assert (found["2160p"], found["1080p"], found["720p"], found["480p"]) == (
        13_000_000,
        4_500_000,
        2_500_000,
        1_200_000,
    )
    assert default_bitrate(1920, 1080, 60.0, "h264") == 6_400_000
    assert default_bitrate(1920, 1080, 30.0, "h265") == 2_700_000


def test_what_is_above_the_source_is_left_out() -> None:
    assert names("1080p", "720p", "360p", width=1280, height=720) == ["720p", "360p"]
    assert names(*AUTO, width=1280, height=720) == ["720p", "480p", "360p", "240p"]


def test_a_source_below_all_rungs_is_one_itself() -> None:
    (rung,) = rungs(("1080p:5000k", "720p:700k"), Picture(640, 360, 30.0), "h264")
    assert (rung.name, rung.width, rung.height, rung.bitrate) == ("360p", 640, 360, 700_000)


def test_a_source_between_two_rungs_is_one_of_auto() -> None:
    assert names(*AUTO, width=1600, height=900)[:2] == ["900p", "720p"]
    assert names(*AUTO, width=1366, height=768)[0] == "720p"


def test_a_rung_is_a_box_also_for_wide_and_for_upright_pictures() -> None:
    assert [(r.width, r.height) for r in rungs(("1080p", "720p"), Picture(1920, 804, 24.0), "h264")] == [
        (1920, 804),
        (1280, 536),
    ]
    (rung,) = rungs(("720p",), Picture(1080, 1920, 30.0), "h264")
    assert (rung.width, rung.height) == (720, 1280)


@pytest.mark.parametrize(
    "asked", [("720p", "auto"), ("720",), ("10p",), ("720p", "720p:1M"), ("720p:1",), ()]
)
def test_what_is_no_ladder_is_refused(asked: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_ladder(asked)


SIDES = st.integers(2, 8192)


@given(SIDES, SIDES, st.one_of(st.none(), st.floats(0.01, 240)), st.sampled_from([AUTO, ("720p", "90p:1M")]))
def test_any_source_has_a_ladder_that_is_even_in_its_shape_and_not_above_it(
    width: int, height: int, rate: float | None, asked: tuple[str, ...]
) -> None:
    found = rungs(asked, Picture(width, height, rate), "h264")
    assert found
    assert len({(rung.width, rung.height) for rung in found}) == len(found)
    for rung in found:
        assert rung.width % 2 == rung.height % 2 == 0
        assert rung.width <= width + 1
        assert rung.height <= height + 1
        longer, shorter = max(rung.width, rung.height), min(rung.width, rung.height)
        assert abs(shorter - longer * min(width, height) / max(width, height)) <= 2
