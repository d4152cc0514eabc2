"""Submitters take turns whichever master gives their jobs out, as they do in memory."""

from __future__ import annotations

from functools import partial

import pytest

from master.service import Farm
from tests.core.support import finish, must_claim, register
from tests.store.postgresql.conftest import Masters, at_once
from tests.store.test_fair_shares import (
    given_out,
    submit,
    test_a_few_jobs_do_not_wait_for_another_submitters_many,
    test_a_higher_priority_still_goes_first,
    test_the_operators_are_one_submitter,
    test_who_comes_late_has_saved_nothing_up,
    test_who_submits_one_by_one_gets_no_more_than_the_others,
)

__all__ = [
    "test_a_few_jobs_do_not_wait_for_another_submitters_many",
    "test_a_higher_priority_still_goes_first",
    "test_the_operators_are_one_submitter",
    "test_who_comes_late_has_saved_nothing_up",
    "test_who_submits_one_by_one_gets_no_more_than_the_others",
]


@pytest.fixture
def farm(masters: Masters) -> Farm:
    return masters(1)[0]


def test_masters_go_on_with_the_turns_of_each_other(masters: Masters) -> None:
    farms = masters(2)
    node_id = register(farms[0])
    submit(farms[0], "bulk", 20)
    submit(farms[1], "amy", 4)
    owners = [given_out(farms[number % 2], node_id, 1)[0] for number in range(8)]
    assert owners == ["bulk", "amy"] * 4


def test_among_many_who_ask_at_once_submitters_still_take_turns(masters: Masters) -> None:
    farms = masters(2)
    submit(farms[0], "bulk", 30)
    submit(farms[0], "amy", 30)
    nodes = [register(farms[0], f"worker-{number}") for number in range(6)]
    owners: list[str | None] = []
    for _ in range(4):
        views = at_once(*(partial(must_claim, farms[n % 2], node) for n, node in enumerate(nodes)))
        owners += [view.job.owner for view in views]
        for view in views:
            finish(farms[0], view)
        # Who asks while a claim is under way that is not noted yet may see the turn before.
        assert abs(owners.count("amy") - owners.count("bulk")) <= len(nodes)


def test_when_nobody_waits_any_more_the_turns_begin_anew(masters: Masters) -> None:
    farm = masters(1)[0]
    node_id = register(farm)
    submit(farm, "bulk", 3)
    given_out(farm, node_id, 3)
    farm.store.tidy(farm.clock())
    submit(farm, "bulk", 2)
    submit(farm, "amy", 2)
    assert given_out(farm, node_id, 4) == ["bulk", "amy", "bulk", "amy"]
