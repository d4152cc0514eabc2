"""Every metric has one type, one unit and one origin, and unknown is None."""

import pytest

from common.result import METRICS, check, metrics
from common.scenarios import SCENARIOS
from common.settings import resolve

SETTINGS = resolve(SCENARIOS["720p30-h264"], {})


def test_without_an_output_everything_about_it_is_none() -> None:
    known = metrics(SETTINGS, command=["ffmpeg", "-i", "a b"], wall_seconds=2.0)
    assert set(known) == {name for name, metric in METRICS.items() if metric.always}
    given = {name for name, value in known.items() if value is not None}
    assert given == {"bitrate_asked", "command", "wall_seconds", "encoder", "preset", "runs", "passes"}
    assert known["command"] == "ffmpeg -i 'a b'"


def test_an_encode_by_quality_asked_for_no_bitrate() -> None:
    assert metrics(resolve(SCENARIOS["720p30-h264"], {"crf": 20}))["bitrate_asked"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("frames", 1.5), ("frames", True), ("frames", -1), ("speed", "fast"), ("codec", 7),
     ("fps", float("nan")), ("my_own", [1]), ("my_own", float("inf"))],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_named(name: str, value: object) -> None:
    sentence = check(name, value)
    assert sentence is not None
    assert sentence.startswith(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [("frames", 60), ("frames", None), ("speed", 2), ("speed", 1.5), ("codec", "h264"), ("vmaf", 93.1),
     ("note", "x"), ("flag", False)],
)  # fmt: skip
def test_a_fitting_or_unknown_scalar_is_taken(name: str, value: object) -> None:
    assert check(name, value) is None


def test_every_metric_says_where_it_came_from() -> None:
    assert all(metric.source for metric in METRICS.values())
