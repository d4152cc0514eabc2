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


def limits(scenario: str, cores: int = 2, **parameters: Scalar) -> Limits:
    return limits_for(resolve(SCENARIOS[scenario], parameters), cores)


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


# GiB as measured with 10 bits; x264 and x265 with 4:4:4.
@pytest.mark.parametrize(
    ("allocated", "parameters"),
    [
        (30.7, {"codec": "h264", "preset": "veryslow", "threads": 64}),
        (8.8, {"codec": "h265", "preset": "veryslow", "threads": 32}),
        (22.1, {"codec": "av1", "preset": "2", "threads": 6}),
        (3.4, {"codec": "vp9", "preset": "8", "threads": 32}),
    ],
)
def test_an_encode_at_4k_may_have_all_the_memory_that_its_encoder_allocates(
    allocated: float, parameters: dict[str, Scalar]
) -> None:
    settings = resolve(SCENARIOS["4K30-h264"], parameters)
    assert limits_for(settings, cores=2).memory > allocated * 2**30


def test_a_small_encode_may_have_4_gibibytes_and_a_large_one_more_on_more_cores() -> None:
    assert limits("480p-h264").memory == 4 * 2**30
    assert limits("4K30-h264", cores=32).memory > limits("4K30-h264", cores=4).memory


def test_an_output_may_be_four_times_as_large_as_its_bitrate_says() -> None:
    asked = 5_000_000 / 8 * 60
    allowed = limits("720p30-h264", bitrate="5M", duration=60).output_bytes
    assert 4 * asked < allowed < 4 * asked + 2**27


def test_an_output_without_a_bitrate_may_be_as_large_as_its_raw_pictures() -> None:
    raw = 1280 * 720 * 3 * 300
    assert limits("720p30-h264", crf=0, duration=10, pixel_format="yuv444p").output_bytes > raw


def test_cpu_time_is_limited_as_strictly_as_time() -> None:
    found = limits("1080p30-h264", duration=60)
    assert found.total <= found.cpu_seconds < found.total + 1
