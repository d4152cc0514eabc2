"""What the core's tests share: a farm, the clock that it reads, and which of them run over which store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from master.service.farm import Farm
from tests import databases
from tests.core import support
from tests.core.support import FakeClock, crash_all, directory_in_memory, make_farm


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with directory_in_memory() as directory:
        yield directory
        crash_all()


OVER_BOTH: dict[str, tuple[str, ...]] = {
    "test_attempts": (),
    "test_chains": (
        "test_a_killed_master_knows_again_who_waits_for_whom",
        "test_who_waits_for_a_job_that_a_damaged_journal_lost_hears_of_it",
    ),
    "test_families": ("test_who_waits_for_a_part_that_a_damaged_journal_lost_hears_of_it",),
    "test_feed": (
        "test_threads_that_submit_at_once_are_heard_in_the_journals_order",
        "test_what_has_left_the_memory_comes_from_the_trail",
        "test_filters_hold_wherever_it_comes_from",
        "test_what_was_removed_from_the_audit_is_said_to_be_lost",
        "test_what_is_damaged_is_said_to_be_lost_and_the_rest_is_told",
    ),
    "test_idempotent_submit": (),
    "test_lost_nodes": ("test_a_restart_grants_every_lease_and_every_node_a_full_term",),
    "test_node_load": (),
    "test_pausing": (),
}
"""The contract of stores: files that each has to pass, and what in them is of the one in memory alone."""
ALSO: dict[str, tuple[str, ...]] = {
    "test_aged_progress": (),
    "test_alone": (),
    "test_bad_nodes": (),
    "test_batches": ("test_a_batch_is_in_one_record_of_the_journal",),
    "test_credentials_expire": (),
    "test_glance": (),
    "test_idempotent_retry": (),
    "test_leaving": (),
    "test_leftovers": (),
    "test_parked_polls": (),
    "test_poison_jobs": (),
    "test_recent_attempts": (),
    "test_registration": (),
    "test_retention": (),
    "test_rewound_history": (
        "test_attempts_that_an_older_state_does_not_know_of_are_not_given_again",
        "test_the_history_is_as_long_after_a_crash_and_a_snapshot",
    ),
    "test_scheduling": (),
    "test_second_agent": (),
    "test_splits": ("test_finished_parts_do_not_keep_whom_they_waited_for",),
    "test_spread_probes": (),
    "test_stream_jobs": (),
    "test_tokens": (),
    "test_twins": (),
    "test_webhook_records": (),
    "test_which_chunk_goes_where": (),
    "test_whole_jobs_are_listed": (),
}
"""More of it, which takes long: `make stores`."""
if os.environ.get("FFRTMP_TEST_STORES") == "all":
    OVER_BOTH |= ALSO


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    alone = OVER_BOTH.get(metafunc.module.__name__.rpartition(".")[2])
    if alone is not None and metafunc.function.__name__ not in alone:
        metafunc.parametrize("_store", ["memory", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if getattr(request, "param", "memory") == "postgresql":
        server: databases.Server = request.getfixturevalue("postgresql")
        monkeypatch.setattr(support, "make_store", databases.Stores(server))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock)
