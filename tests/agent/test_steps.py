"""What is expected of steps that nobody has seen here: second passes, comparisons, repeats."""

from __future__ import annotations

import pytest

from agent import steps
from common.model import Confidence
from common.scenarios import SCENARIOS
from common.settings import resolve
from common.statistics import MAX_RUNS, MIN_RUNS


@pytest.mark.parametrize(
    ("scenario", "preset", "least", "most"),
    [
        # How much more of a core's time it took: see docs/progress.md.
        ("720p30-h264", "veryfast", 1.0, 1.15),
        ("720p30-h264", "medium", 1.9, 2.9),
        ("720p30-h264", "veryslow", 3.4, 6.0),
        ("720p30-h265", "medium", 0.9, 1.0),
        ("720p30-vp9", "8", 3.5, 5.0),
    ],
)
def test_how_long_a_second_pass_takes_depends_on_encoder_and_preset(
    scenario: str, preset: str, least: float, most: float
) -> None:
    settings = resolve(SCENARIOS[scenario], {"preset": preset, "two_pass": True})
    first, second, _ = steps.encodes(settings)
    assert second.like == first.kind
    assert least <= second.factor <= most


def test_a_comparison_takes_longer_the_more_is_compared_and_less_on_more_cores() -> None:
    def seconds(*methods: str, frames: int = 1000, cores: int = 2) -> float:
        step = steps.compare(methods, 854, 480, frames, cores)
        assert step.usual is not None
        return step.amount * step.usual

    assert seconds("psnr") < seconds("vmaf") < seconds("vmaf", "psnr") < 1.1 * seconds("vmaf")
    assert seconds("vmaf", cores=4) == pytest.approx(seconds("vmaf") / 2)
    assert seconds("vmaf", frames=2000) == pytest.approx(2 * seconds("vmaf"), rel=0.05)
    assert 0.05 < seconds("vmaf", frames=1) < 0.5  # it has to begin


def test_a_comparison_that_was_not_seen_follows_from_how_slow_the_machine_is() -> None:
    step = steps.compare(("vmaf",), 854, 480, 100, 2)
    assert (step.like, step.factor) == (steps.MACHINE, step.usual)


def test_before_speeds_were_seen_the_least_number_of_runs_is_expected() -> None:
    assert steps.more_runs([], Confidence.HIGH) == MIN_RUNS
    assert steps.more_runs([1.0, 5.0], Confidence.HIGH) == MIN_RUNS - 2


def test_where_speeds_are_known_to_vary_more_runs_are_expected_from_the_start() -> None:
    assert steps.more_runs([], Confidence.LOW, 0.01) == MIN_RUNS
    varied = steps.more_runs([], Confidence.LOW, 0.1)
    assert MIN_RUNS < varied < MAX_RUNS
    assert steps.more_runs([], Confidence.LOW, 0.3) == MAX_RUNS
    assert steps.more_runs([1.0, 1.0], Confidence.LOW, 0.1) < varied - 2  # these are alike


def test_what_is_kept_of_speeds_is_how_much_they_vary_whatever_they_are() -> None:
    slow, fast = steps.spread([1.0, 1.1, 0.9]), steps.spread([100.0, 110.0, 90.0])
    assert slow == pytest.approx(fast)
    assert slow == {steps.SPREAD: pytest.approx(0.1)}
    assert steps.spread([1.0]) == {}
    assert steps.spread([1.0, 1.0])[steps.SPREAD] > 0  # what is kept is more than nothing
