"""A chunk of VP9 that took more than its share is told less; H.264 and H.265 have a buffer, and are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.chunks.again import less, near_its_share, whole_units
from agent.encode import Encoded
from agent.energy.account import Energy
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.process import Ended
from common.settings import EncodeSettings
from tests.agent.chunks.test_chunk_command import settings_of


def test_what_was_told_shrinks_by_as_much_as_the_share_was_exceeded() -> None:
    assert less(300_000, 300_000, 400_000) == 225_000
    assert less(225_000, 300_000, 330_000) == 205_000


@pytest.mark.parametrize("got", [None, 0.0, 200_000.0, 315_000.0])
def test_a_share_that_was_met_or_not_used_up_is_left_alone(got: float | None) -> None:
    assert less(300_000, 300_000, got) is None


def test_encoders_are_told_whole_kilobits_and_at_least_one() -> None:
    assert [whole_units(each) for each in (1499.0, 1501.0, 3.0)] == [1000, 2000, 1000]
    assert less(1000, 1000, 5000) is None


def share_of(codec: str) -> EncodeSettings:
    settings = settings_of({}, codec=codec, crf=None, bitrate="1M")
    return replace(settings, rate=replace(settings.rate, bitrate=500_000, share_of=1_000_000))


class Encoder:
    """Takes a minute for each encode, whose bitrate is the next of `got`."""

    def __init__(self, *got: float) -> None:
        self.got, self.told, self.plans = list(got), list[int | None](), 0
        self.task = cast(Any, SimpleNamespace(tools=SimpleNamespace(course=self)))

    def plan(self, _steps: Any) -> None:
        self.plans += 1

    def __call__(self, _task: Any, settings: EncodeSettings, _window: Any, _cut: Any) -> Encoded:
        self.told.append(settings.rate.bitrate)
        ended = Ended(0, None, None, 60.0, 1000, 60.0, ())
        probe = cast(Any, SimpleNamespace(bitrate=self.got[len(self.told) - 1]))
        energy = Energy(100.0, 10.0, 90.0)
        return Encoded(
            settings, FFmpeg(Path("ffmpeg"), "9"), ["ffmpeg"], ended, probe, Path("x"), energy=energy
        )

    def run(self, settings: EncodeSettings) -> Encoded:
        return near_its_share(self.task, settings, cast(Any, None), cast(Any, None), self)


def test_it_is_encoded_again_until_it_is_near_and_costs_what_all_took() -> None:
    encoder = Encoder(750_000, 550_000, 510_000)
    encoded = encoder.run(share_of("vp9"))
    assert encoder.told == [500_000, 333_000, 303_000]
    assert encoded.probed.bitrate == 510_000
    assert (encoded.ended.cpu_seconds, encoded.ended.wall_seconds) == (180.0, 180.0)
    assert encoded.energy == Energy(300.0, 30.0, 270.0)
    assert encoder.plans == 2


def test_the_third_encode_is_the_last() -> None:
    encoder = Encoder(900_000, 900_000, 900_000)
    assert encoder.run(share_of("vp9")).probed.bitrate == 900_000
    assert len(encoder.told) == 3


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_where_a_buffer_is_held_one_encode_is_enough(codec: str) -> None:
    encoder = Encoder(900_000)
    encoder.run(share_of(codec))
    assert encoder.told == [500_000]


def test_so_it_is_with_a_quality_and_with_a_bitrate_that_is_no_share() -> None:
    for given in ({}, {"crf": None, "bitrate": "1M"}):
        encoder = Encoder(9_000_000)
        encoder.run(settings_of({}, codec="vp9", **given))
        assert len(encoder.told) == 1


def test_energy_of_both_is_known_only_if_that_of_each_is() -> None:
    first, second = Energy(5.0, 1.0, 4.0), Energy(7.0, 2.0, 5.0)
    assert second.after(first) == Energy(12.0, 3.0, 9.0)
    assert second.after(Energy(note="no meter")).joules is None
