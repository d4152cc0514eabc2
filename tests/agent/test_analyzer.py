"""The conclusions follow from the numbers by the written rules, and never crash."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.analyzer import RULES, analyze

METRICS: dict[str, object] = {
    "speed": 5.0, "bitrate": 980_000, "bitrate_asked": 1_000_000, "cpu_seconds": 30.0, "wall_seconds": 12.0,
    "duration": 60.0,
}  # fmt: skip


def test_a_fast_encode_that_keeps_its_bitrate() -> None:
    assert analyze(METRICS) == {
        "realtime": True,
        "realtime_streams": 4,
        "bitrate_error_percent": -2.0,
        "bitrate_kept": True,
        "bitrate_verdict": "kept",
        "cpu_cores_used": 2.5,
        "recommendation": "This node carries 4 such streams live with 20 % to spare.",
    }


@pytest.mark.parametrize(("speed", "streams"), [(0.99, 0), (1.0, 0), (1.24, 0), (1.25, 1), (2.5, 2), (10, 8)])
def test_a_fifth_of_the_node_stays_free(speed: float, streams: int) -> None:
    assert analyze({"speed": speed})["realtime_streams"] == streams


def test_a_slow_encode_says_what_to_change() -> None:
    conclusions = analyze({**METRICS, "speed": 0.5})
    assert conclusions["realtime"] is False
    assert "faster preset" in str(conclusions["recommendation"])


def test_real_time_without_headroom_is_no_stream_to_count_on() -> None:
    assert "less than 20 %" in str(analyze({**METRICS, "speed": 1.1})["recommendation"])


@pytest.mark.parametrize(
    ("bitrate", "kept", "verdict"),
    [
        (1_100_000, True, "kept"),
        (1_110_000, False, "over"),
        (900_000, True, "kept"),
        (500_000, False, "under"),
    ],
)
def test_a_bitrate_is_kept_within_ten_per_cent(bitrate: int, kept: bool, verdict: str) -> None:
    conclusions = analyze({**METRICS, "bitrate": bitrate})
    assert (conclusions["bitrate_kept"], conclusions["bitrate_verdict"]) == (kept, verdict)


def test_a_short_clip_is_no_sure_ground() -> None:
    assert "too short" in str(analyze({**METRICS, "duration": 0.1})["recommendation"])


def test_from_nothing_follows_nothing() -> None:
    assert analyze({}) == dict.fromkeys(RULES)


def test_an_encode_by_quality_has_no_bitrate_to_keep() -> None:
    conclusions = analyze({**METRICS, "bitrate_asked": None})
    assert (conclusions["bitrate_kept"], conclusions["realtime"]) == (None, True)


VALUES = st.none() | st.booleans() | st.just("fast") | st.integers() | st.floats() | st.lists(st.integers())


@given(st.dictionaries(st.sampled_from(sorted(METRICS)), VALUES))
def test_whatever_a_foreign_client_reports_gives_plain_values(metrics: dict[str, object]) -> None:
    conclusions = analyze(metrics)
    assert set(conclusions) == set(RULES)
    for value in conclusions.values():
        assert value is None or isinstance(value, bool | str) or math.isfinite(value)


def test_the_document_lists_exactly_the_rules_of_the_code() -> None:
    text = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text("utf-8")
    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE)) == RULES
