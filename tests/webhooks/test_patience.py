"""Pauses grow from seconds to hours, and end after about three days."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from master.webhooks import patience

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_they_double_from_5_seconds_to_6_hours() -> None:
    pauses = [patience.pause(failures, 0.0, None) for failures in range(1, 16)]
    assert pauses[:4] == [5.0, 10.0, 20.0, 40.0]
    assert pauses[-1] == 6 * 3600.0
    assert pauses == sorted(pauses)


def test_chance_makes_them_up_to_half_as_long() -> None:
    assert patience.pause(3, 1.0, None) == 10.0
    assert patience.pause(3, 0.5, None) == 15.0


def test_what_a_receiver_asks_for_is_respected_up_to_a_day() -> None:
    assert patience.pause(1, 1.0, 60.0) == 60.0
    assert patience.pause(10, 0.0, 1.0) == 2560.0
    assert patience.pause(1, 0.0, 1e9) == 86400.0


def test_a_receiver_is_given_up_after_three_days_of_tries() -> None:
    seconds, failures = 0.0, 0
    while not patience.is_given_up(failures, seconds):
        failures += 1
        seconds += patience.pause(failures, 0.0, None)
    assert 3 <= seconds / 86400 < 3.5
    assert failures < 30


def test_a_master_that_was_off_for_days_has_tried_nothing() -> None:
    assert not patience.is_given_up(2, 30 * 86400.0)


def test_a_clock_that_was_set_back_keeps_nobody_waiting_for_years() -> None:
    assert patience.wait(2_000_000_000.0, 1_700_000_000.0) == 0.0
    assert patience.wait(1_000_010.0, 1_000_000.0) == 10.0
    assert patience.wait(1_000_000.0, 1_000_010.0) == 0.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Thu, 01 Jan 2026 12:01:00 GMT", 60.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("", None),
        ("9" * 400, 999_999_999.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text: str | None, seconds: float | None) -> None:
    assert patience.parse_retry_after(text, NOW) == seconds
