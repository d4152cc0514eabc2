"""How many jobs a second a site finishes follows from what a job costs: the scarcest thing bounds it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import sizing
from bench.masters import COMMITS, DATABASE_CPU, LOG, MASTERS_CPU, ONE, STATEMENTS
from bench.rig import Sample
from bench.sizing import BUSY, Costs, Site, costs_from, size
from master.store.postgres.store import CONNECTIONS
from tests.bench.support import result, taken

COSTS = Costs(master=0.002, database=0.001, statements=20, commits=4, log=3000)
SITE = Site("a site", masters=2, cores=8, trip=0.0001, commit=0.001)


def test_two_masters_with_enough_database_are_bounded_by_their_processors() -> None:
    found = size(COSTS, SITE)

    assert found.bound == "masters' processors"
    assert found.rate == pytest.approx(2 * BUSY / 0.002)


def test_more_masters_help_until_the_database_has_no_processor_left() -> None:
    found = size(COSTS, replace(SITE, masters=100))

    assert found.bound == "database's processors"
    assert found.rate == pytest.approx(8 * BUSY / 0.001)


def test_a_database_that_takes_more_work_for_the_same_gives_less() -> None:
    many = replace(SITE, masters=100)

    assert size(COSTS, replace(many, work=4)).rate == pytest.approx(size(COSTS, many).rate / 4)


def test_a_commit_that_takes_long_bounds_by_the_connections_that_wait_for_it() -> None:
    found = size(COSTS, replace(SITE, commit=0.1))

    assert found.bound == "waiting for the database"
    assert found.wait == pytest.approx(20 * 0.0001 + 4 * 0.1)
    assert found.rate == pytest.approx(2 * CONNECTIONS * BUSY / found.wait)


def test_the_log_grows_with_the_rate() -> None:
    found = size(COSTS, SITE)

    assert found.log == pytest.approx(found.rate * 3000)


def test_the_costs_are_those_of_one_master_on_postgresql_as_measured() -> None:
    figures = {MASTERS_CPU: 2000.0, DATABASE_CPU: 1000.0, STATEMENTS: 20.0, COMMITS: 4.0, LOG: 3000.0}
    measured = result(taken(ONE, Sample(100.0, figures)), key=sizing.ROW)

    assert costs_from({sizing.ROW: measured}) == COSTS
    assert any("A job costs 2,000 us" in line for line in sizing.table({sizing.ROW: measured}))


def test_without_a_measurement_there_is_no_table() -> None:
    assert costs_from({}) is None
    assert not list(sizing.table({}))
