"""A lease is known to hold for its term from before it was renewed, less a margin to stop in."""

from __future__ import annotations

import pytest

from agent.running import RunningJob, RunningJobs, lease_holds, margin
from agent.task import Assignment


@pytest.mark.parametrize(
    ("term", "least"), [(2, 0.5), (4, 1.0), (6, 1.0), (30, 3.0), (90, 9.0), (3600, 360.0)]
)
def test_the_margin_is_a_tenth_and_at_least_a_second_where_the_term_allows_it(
    term: float, least: float
) -> None:
    assert margin(term) == least


@pytest.mark.parametrize("term", [1, 2, 6, 90])
def test_two_heartbeats_come_before_the_margin_begins(term: float) -> None:
    assert 2 * term / 3 < term - margin(term)


def test_it_holds_until_its_margin_and_not_longer() -> None:
    assert lease_holds(1000.0, 90.0, 1000.0)
    assert lease_holds(1000.0, 90.0, 1080.9)
    assert not lease_holds(1000.0, 90.0, 1081.0)
    assert not lease_holds(1000.0, 90.0, 5000.0)


@pytest.fixture
def jobs() -> RunningJobs:
    return RunningJobs(4)


def begin(jobs: RunningJobs, lease: str, asked: float) -> RunningJob:
    job = jobs.add(assignment(lease), asked)
    assert job is not None
    return job


def assignment(lease: str) -> Assignment:
    return Assignment(f"job-{lease}", "480p-h264", {}, lease, 1)


def test_a_job_holds_its_lease_from_when_it_was_asked_for(jobs: RunningJobs) -> None:
    assert begin(jobs, "a", 10.0).renewed == 10.0


def test_an_answer_renews_what_it_names_from_when_it_was_asked_for(jobs: RunningJobs) -> None:
    named, not_named, not_asked = (begin(jobs, lease, 10.0) for lease in "abc")
    jobs.keep_only({"a", "c"}, ["a", "b"], sent=20.0)
    assert (named.renewed, named.unwanted) == (20.0, False)
    assert (not_named.unwanted, not_named.abort.is_set()) == (True, True)
    # It began while the heartbeat was under way, which says nothing of it.
    assert (not_asked.renewed, not_asked.unwanted) == (10.0, False)


def test_an_answer_that_comes_late_takes_nothing_back(jobs: RunningJobs) -> None:
    job = begin(jobs, "a", 10.0)
    jobs.keep_only({"a"}, ["a"], sent=30.0)
    jobs.keep_only({"a"}, ["a"], sent=20.0)
    assert job.renewed == 30.0


def test_a_master_that_is_down_gives_nothing_away(jobs: RunningJobs) -> None:
    job = begin(jobs, "a", 0.0)
    for sent in range(0, 36_000, 30):
        jobs.master_is_down(float(sent), term=90.0)
        assert lease_holds(job.renewed, 90.0, sent + 29.0)


def test_it_may_have_given_away_before_what_had_ended_before_it_went_down(jobs: RunningJobs) -> None:
    job = begin(jobs, "a", 0.0)
    jobs.master_is_down(90.0, term=90.0)
    assert job.renewed == 0.0


def test_a_lease_begins_once_though_it_is_answered_twice(jobs: RunningJobs) -> None:
    job = begin(jobs, "a", 10.0)
    assert jobs.add(assignment("a"), 20.0) is None
    jobs.reported(job)
    jobs.remove(job)
    assert jobs.add(assignment("a"), 30.0) is None
    assert jobs.leases() == []


def test_a_job_that_was_not_reported_begins_again_if_it_is_given_again(jobs: RunningJobs) -> None:
    jobs.remove(begin(jobs, "a", 10.0))
    assert begin(jobs, "a", 20.0).renewed == 20.0


def test_a_job_takes_the_place_of_the_one_whose_report_was_answered_with_it(jobs: RunningJobs) -> None:
    first, _ = begin(jobs, "a", 10.0), begin(jobs, "b", 10.0)
    following = jobs.add(assignment("c"), 20.0, after=first)
    assert following is not None
    assert (following.slot, jobs.leases()) == (first.slot, ["b", "c"])
    jobs.remove(first)
    assert jobs.leases() == ["b", "c"]
