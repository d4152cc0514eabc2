"""A BD-rate is what its definition says, and where it would mean nothing there is a reason instead."""

from __future__ import annotations

import pytest

from master.operator.report import bdrate
from master.operator.report.bdrate import BdRate, Curve, compare, comparisons, mean_over_clips
from master.operator.report.groups import points
from master.operator.report.quantities import QUALITIES
from master.operator.report.runs import Series, run
from tests.report.invented import WAYS, experiment

VMAF = QUALITIES[0]
FAST, SLOW = Series("h264", "veryfast", "libx264"), Series("h264", "slow", "libx264")
CURVE: Curve = [(500, 60.0), (1000, 75.0), (2000, 86.0), (4000, 93.0), (8000, 97.0)]


def against(test: Curve, anchor: Curve = CURVE) -> BdRate:
    return compare("clip", VMAF, FAST, SLOW, anchor, test)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.25])
def test_the_same_quality_at_a_part_of_the_bits_is_that_part(factor: float) -> None:
    found = against([(rate * factor, quality) for rate, quality in CURVE])
    assert found.percent == pytest.approx((factor - 1) * 100)
    assert (found.overlap, found.share, found.points) == ((60.0, 97.0), 1.0, (5, 5))


def test_it_agrees_with_the_mean_distance_of_straight_curves() -> None:
    # In the logarithm of the rate both are straight: the mean distance can be computed by hand.
    anchor = [(100 * 2**k, 10.0 * k) for k in range(5)]
    test = [(100 * 2 ** (0.5 * k), 10.0 * k) for k in range(5)]
    assert against(test, anchor).percent == pytest.approx((2**-1 - 1) * 100)


def test_the_invented_codecs_need_the_bits_that_they_were_invented_with() -> None:
    found = comparisons(points([run(r) for r in experiment()], by_node=False))
    of_vmaf = {(b.anchor.label, b.test.label): b.percent for b in found if b.quality == "vmaf"}
    assert len(of_vmaf) == len(WAYS) * (len(WAYS) - 1) // 2
    assert of_vmaf["av1 · 10", "h264 · veryfast"] == pytest.approx((1 / 0.55 - 1) * 100, abs=2)


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        (CURVE[:3], "not enough points: 3 and 5, and each needs 4"),
        ([], "not enough points: 0 and 5, and each needs 4"),
        ([*CURVE[:4], (8000, 92.0)], "VMAF of h264 · slow does not rise with each bitrate"),
        ([*CURVE[:4], (4000, 97.0)], "VMAF of h264 · slow does not rise with each bitrate"),
        ([(r, q / 2) for r, q in CURVE], "the curves have 0% of their VMAF range in common, not 25%"),
        ([(r, 90 + q / 10) for r, q in CURVE], "the curves have 3% of their VMAF range in common, not 25%"),
    ],
)
def test_where_it_would_mean_nothing_there_is_a_reason_and_no_number(test: Curve, reason: str) -> None:
    found = against(test)
    assert (found.percent, found.reason) == (None, reason)


def test_without_the_library_there_is_a_reason_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bdrate, "available", lambda: False)
    found = against([(rate / 2, quality) for rate, quality in CURVE])
    assert (found.percent, found.reason) == (None, "the package bjontegaard is not installed")


def test_the_mean_over_clips_has_an_interval_and_its_reverse() -> None:
    found = [
        BdRate(clip, "vmaf", FAST, SLOW, (4, 4), percent)
        for clip, percent in (("a", -20.0), ("b", -30.0), ("c", None))
    ]
    means = mean_over_clips(found, "vmaf")
    there, back = means[FAST, SLOW], means[SLOW, FAST]
    assert (there.mean, there.n) == (-25.0, 2)
    assert there.low is not None
    assert there.low < -30
    assert back.mean == pytest.approx((25.0 + 42.857) / 2, abs=0.01)
    assert mean_over_clips(found, "psnr") == {}
