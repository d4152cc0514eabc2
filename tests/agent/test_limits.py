"""An ffmpeg gets the time that it needs, and no more than that once it hangs."""

import pytest

from agent.ffmpeg.limits import Limits, limits_for, overdue
from common.model import Scalar
from common.scenarios import SCENARIOS
from common.settings import resolve

LIMITS = Limits(first=120, stall=60, last=600, total=3600)


@pytest.mark.parametrize(
    ("now", "changed", "done", "why"),
    [
        (119, None, False, None),
        (120, None, False, "stalled"),
        (159, 100, False, None),
        (160, 100, False, "stalled"),
        (160, 100, True, None),
        (700, 100, True, "stalled"),
        (3600, 3599, False, "time_limit"),
    ],
)
def test_each_phase_has_its_own_patience(
    now: float, changed: float | None, done: bool, why: str | None
) -> None:
    assert overdue(LIMITS, now, started=0, changed=changed, done=done) == why


def limits(scenario: str, **parameters: Scalar) -> Limits:
    return limits_for(resolve(SCENARIOS[scenario], parameters))


def test_a_usual_encode_that_hangs_is_noticed_after_about_a_minute() -> None:
    assert 60 <= limits("1080p30-h264").stall <= 90
    assert 120 <= limits("1080p30-h264").first <= 180


def test_more_frames_larger_pictures_and_slower_presets_get_more_time() -> None:
    base = limits("1080p30-h264", duration=60).total
    assert limits("1080p30-h264", duration=120).total > base
    assert limits("4K30-h264", duration=60).total > base
    assert limits("1080p30-h264", duration=60, preset="veryslow").total > base


def test_the_slowest_preset_has_ten_times_what_was_measured_on_two_cores() -> None:
    measured = 1.2 * 1920 * 1080 / 1e6  # seconds for a 1080p frame with SVT-AV1's preset 0
    slowest = limits("1080p30-h264", codec="av1", preset="0", duration=60)
    assert slowest.total > 10 * measured * 1800
    assert slowest.first > 10 * measured * 74
