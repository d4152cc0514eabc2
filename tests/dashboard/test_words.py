"""Values are written for people; what is not known is a dash."""

from __future__ import annotations

import pytest

from master.api.dashboard import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.42, "0.4 s"),
        (10, "10 s"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (3725, "1 h 2 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_durations_have_their_two_largest_units(value: float | None, text: str) -> None:
    assert words.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0 bytes"), (999, "999 bytes"), (5_230_000, "5.2 MB"), (4e13, "40.0 TB")],
)
def test_sizes_have_a_decimal_unit(value: float | None, text: str) -> None:
    assert words.size(value) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [(None, "–"), ("11:59:58", "just now"), ("11:59:18", "42 s ago"), ("09:58:00", "2 h 2 min ago")],
)
def test_ages_are_told_from_now(before: str | None, text: str) -> None:
    moment = None if before is None else f"2026-05-02T{before}Z"
    assert words.age(moment, "2026-05-02T12:00:00Z") == text


def test_a_time_carries_its_machine_form() -> None:
    told = '<time datetime="2026-05-02T12:00:00Z">2026-05-02 12:00:00 UTC</time>'
    assert words.moment("2026-05-02T12:00:00Z") == told
    assert words.moment(None) == "–"


def test_numbers_have_commas() -> None:
    assert (words.number(None), words.number(1234567), words.number(2.345, 2)) == ("–", "1,234,567", "2.35")
