"""The comparison behind the guide tests sees what is not real, and forgives what differs from run to run."""

from __future__ import annotations

import pytest

from tests.docs.markdown import different_fields, missing_lines

REAL = """\
14:05:42 Registered as node 2adaa17d-2573-47d5-b262-b2dbebccaf21
JOBS   SPEED
0/1    2.80x
done
"""


@pytest.mark.parametrize(
    "shown",
    [
        "23:59:59 Registered as node 00000000-0000-0000-0000-000000000000",
        "JOBS SPEED\n7/9 0.13x",
        "… Registered …\n…\ndone",
        "JOBS …\ndone",
    ],
)
def test_ids_times_numbers_and_what_is_left_out_may_differ(shown: str) -> None:
    assert missing_lines(shown, REAL) == []


@pytest.mark.parametrize(
    "shown", ["Registered", "done\nJOBS SPEED", "JOBS SPEED WALL", "done\ndone", "… registered …"]
)
def test_words_order_and_repeats_may_not(shown: str) -> None:
    assert missing_lines(shown, REAL)


def test_a_number_alone_on_its_line_may_not_differ() -> None:
    assert missing_lines("1", "1\n") == []
    assert missing_lines("1", "2\n") == ["1"]


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ({"a": 1}, {"a": 2.5}),
        ({"a": None}, {"a": "x"}),
        ({"a": [{"b": 1}]}, {"a": []}),
        ({"a": 1, "…": "and more"}, {"a": 1, "b": 2}),
    ],
)
def test_values_may_differ(shown: object, real: object) -> None:
    assert different_fields(shown, real) == []


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": 1}, {"a": "1"}),
        ({"a": True}, {"a": 1}),
        ({"a": [{"b": 1}]}, {"a": [{"c": 1}]}),
    ],
)
def test_fields_and_types_may_not(shown: object, real: object) -> None:
    assert different_fields(shown, real)
