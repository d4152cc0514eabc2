"""Refused callers are logged: a few lines for each address, however often it calls, in bounded memory."""

from __future__ import annotations

import pytest

from master.refusals import ADDRESSES, ALL_LINES, LINES, WINDOW, Refusals


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_the_line_says_what_from_where_and_why(caplog: pytest.LogCaptureFixture) -> None:
    Refusals().note("POST /jobs", "1.2.3.4", "unauthenticated", 0.0)
    assert lines(caplog) == ["refused POST /jobs from 1.2.3.4: unauthenticated"]


def test_an_address_gets_some_lines_and_later_a_count_of_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    refused = Refusals()
    for second in range(30):
        refused.note("POST /jobs", "1.2.3.4", "forbidden", float(second))
    assert len(lines(caplog)) == LINES
    assert lines(caplog)[-1].endswith("; further ones in 1m are counted only")
    refused.note("POST /jobs", "1.2.3.4", "forbidden", WINDOW)
    assert lines(caplog)[-1].endswith(f"1.2.3.4: forbidden ({30 - LINES} more before, not logged)")


def test_one_address_does_not_silence_another(caplog: pytest.LogCaptureFixture) -> None:
    refused = Refusals()
    for address in ["1.2.3.4"] * 30 + ["5.6.7.8"]:
        refused.note("GET /jobs", address, "unauthenticated", 0.0)
    assert lines(caplog)[-1] == "refused GET /jobs from 5.6.7.8: unauthenticated"


def test_any_number_of_addresses_takes_bounded_memory_and_lines(caplog: pytest.LogCaptureFixture) -> None:
    refused = Refusals()
    for number in range(3 * ADDRESSES):
        refused.note("GET /jobs", f"2001:db8::{number:x}", "unauthenticated", 0.0)
    assert len(refused._windows) == ADDRESSES
    assert len(lines(caplog)) == ALL_LINES
