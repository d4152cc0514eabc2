"""Each event of a farm counts once, for the right scenario, priority, outcome and node."""

from __future__ import annotations

import pytest

from common.failures import KINDS
from common.model import Failure, Findings, JobStatus, Outcome
from common.scenarios import SCENARIOS
from master.feed import Heard
from master.lifecycle import commands, events
from master.lifecycle.audit import NAMES
from master.metrics import Measures
from master.metrics.happenings import Happenings
from master.service import Farm, jobs, nodes, work
from tests.core.support import (
    AGENT,
    LADDER,
    OPERATOR,
    FakeClock,
    divide,
    divisible,
    finish,
    must_claim,
    register,
    submit,
    tell,
)
from tests.metrics.support import page_of

SCENARIO = "720p-h264"


def test_all_that_can_be_counted_begins_at_zero() -> None:
    measures = Measures()
    for event in NAMES.values():
        assert measures.registry.get_sample_value("ffrtmp_events_total", {"event": event}) == 0
    for code in (*KINDS, "other"):
        assert measures.registry.get_sample_value("ffrtmp_attempt_failures_total", {"code": code}) == 0
    assert measures.registry.get_sample_value("ffrtmp_nodes_lost_total") == 0


def test_a_job_is_counted_from_its_submission_to_its_end(farm: Farm, clock: FakeClock) -> None:
    submit(farm, SCENARIO, priority="high")
    node_id = register(farm)
    clock.advance(42)
    view = must_claim(farm, node_id)
    clock.advance(7)
    finish(farm, view)
    page = page_of(farm)
    assert page.value("ffrtmp_jobs_submitted_total", scenario=SCENARIO, priority="high") == 1
    assert page.value("ffrtmp_job_claims_total", scenario=SCENARIO, priority="high") == 1
    assert page.value("ffrtmp_job_queue_seconds_sum", priority="high") == 42
    assert page.value("ffrtmp_attempts_total", scenario=SCENARIO, outcome="completed") == 1
    assert page.value("ffrtmp_attempt_seconds_sum", scenario=SCENARIO, outcome="completed") == 7
    assert page.value("ffrtmp_jobs_finished_total", scenario=SCENARIO, status="completed") == 1
    for event in ("job_submitted", "job_claimed", "job_completed", "node_registered"):
        assert page.value("ffrtmp_events_total", event=event) == 1


def test_what_a_job_made_is_added_up(farm: Farm) -> None:
    node_id = register(farm)
    made = {
        "frames": 300,
        "duration": 10.0,
        "cpu_seconds": 8.5,
        "output_bytes": 1000,
        "energy_joules": 50.0,
        "speed": 2.5,
        "fps": 75.0,
    }
    for _ in range(2):
        submit(farm, SCENARIO)
        finish(farm, must_claim(farm, node_id), metrics=made)
    page = page_of(farm)
    for name, amount in {
        "frames": 600,
        "video_seconds": 20,
        "cpu_seconds": 17,
        "output_bytes": 2000,
        "energy_joules": 100,
    }.items():
        assert page.value(f"ffrtmp_encode_{name}_total", scenario=SCENARIO) == amount
    for name, amount in {"speed_ratio": 5, "frames_per_second": 150}.items():
        assert page.value(f"ffrtmp_encode_{name}_sum", scenario=SCENARIO, node=node_id) == amount
        assert page.value(f"ffrtmp_encode_{name}_count", scenario=SCENARIO, node=node_id) == 2


def test_what_is_not_known_of_an_encode_is_not_counted_as_zero(farm: Farm) -> None:
    submit(farm, SCENARIO)
    finish(farm, must_claim(farm, register(farm)), metrics={"speed": None, "fps": None, "frames": 3})
    page = page_of(farm)
    assert page.value("ffrtmp_encode_frames_total", scenario=SCENARIO) == 3
    assert page.all("ffrtmp_encode_speed_ratio_count") == []
    assert page.all("ffrtmp_encode_energy_joules_total") == []


def test_a_second_attempt_says_nothing_of_the_time_in_the_queue(farm: Farm, clock: FakeClock) -> None:
    submit(farm, SCENARIO)
    node_id = register(farm)
    view = must_claim(farm, node_id)
    clock.advance(3)
    finish(farm, view, JobStatus.FAILED, error=Failure("disk_full", "no room"))
    clock.advance(60)
    work.reap(farm)
    finish(farm, must_claim(farm, node_id))
    page = page_of(farm)
    assert page.value("ffrtmp_job_queue_seconds_count", priority="medium") == 1
    assert page.value("ffrtmp_job_claims_total", scenario=SCENARIO, priority="medium") == 2
    assert page.value("ffrtmp_attempts_total", scenario=SCENARIO, outcome="failed") == 1
    assert page.value("ffrtmp_attempt_seconds_sum", scenario=SCENARIO, outcome="failed") == 3
    assert page.value("ffrtmp_attempt_failures_total", code="disk_full") == 1
    assert page.value("ffrtmp_jobs_finished_total", scenario=SCENARIO, status="completed") == 1
    assert page.value("ffrtmp_jobs_finished_total", scenario=SCENARIO, status="failed") is None


def test_a_job_that_fails_for_good_is_counted_with_its_code(farm: Farm) -> None:
    submit(farm, SCENARIO)
    view = must_claim(farm, register(farm))
    finish(farm, view, JobStatus.FAILED, error=Failure("encoder_error", "no such option"))
    page = page_of(farm)
    assert page.value("ffrtmp_attempt_failures_total", code="encoder_error") == 1
    assert page.value("ffrtmp_jobs_finished_total", scenario=SCENARIO, status="failed") == 1


def test_a_lost_node_is_counted_and_so_is_its_attempt(farm: Farm, clock: FakeClock) -> None:
    submit(farm, SCENARIO)
    must_claim(farm, register(farm))
    clock.advance(91)
    work.reap(farm)
    page = page_of(farm)
    assert page.value("ffrtmp_nodes_lost_total") == 1
    assert page.value("ffrtmp_attempts_total", scenario=SCENARIO, outcome="lost") == 1
    assert page.value("ffrtmp_attempt_failures_total", code="node_lost") == 1


@pytest.mark.parametrize("runs", [False, True])
def test_an_attempt_is_canceled_only_if_there_was_one(farm: Farm, *, runs: bool) -> None:
    job_id = submit(farm, SCENARIO)
    node_id = register(farm)
    if runs:
        must_claim(farm, node_id)
    jobs.change(farm, OPERATOR, job_id, commands.Cancel())
    page = page_of(farm)
    assert page.value("ffrtmp_jobs_finished_total", scenario=SCENARIO, status="canceled") == 1
    ended = page.value("ffrtmp_attempts_total", scenario=SCENARIO, outcome="canceled")
    assert ended == (1 if runs else None)


def test_an_attempt_that_is_handed_back_is_no_failure(farm: Farm) -> None:
    job_id = submit(farm, SCENARIO)
    node_id = register(farm)
    lease = must_claim(farm, node_id).job.lease
    assert lease is not None
    work.release(farm, OPERATOR, job_id, node_id, lease.lease_id)
    page = page_of(farm)
    assert page.value("ffrtmp_attempts_total", scenario=SCENARIO, outcome="handed_back") == 1
    assert (
        sum(
            page.value("ffrtmp_attempt_failures_total", **labels) or 0
            for labels in page.all("ffrtmp_attempt_failures_total")
        )
        == 0
    )


def test_an_attempt_that_divides_a_job_ends_the_attempt_and_not_the_job(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT)
    parent = submit(farm, SCENARIO, parameters=LADDER)
    divide(farm, node_id, parent)
    page = page_of(farm)
    assert page.value("ffrtmp_attempts_total", scenario=SCENARIO, outcome="divided") == 1
    assert page.all("ffrtmp_jobs_finished_total") == []
    assert page.value("ffrtmp_jobs_submitted_total", scenario=SCENARIO, priority="medium") == 4


def amounts(farm: Farm) -> dict[str, float | None]:
    names = ("frames", "video_seconds", "output_bytes", "cpu_seconds", "energy_joules")
    page = page_of(farm)
    return {name: page.value(f"ffrtmp_encode_{name}_total", scenario=SCENARIO) for name in names}


def test_of_a_split_file_the_output_counts_and_what_its_parts_took_each_once(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, media_roots=["films"], max_concurrent_jobs=8)
    submit(farm, SCENARIO, input="media:films/a.mp4", parameters={"split": 2, "crf": 23})
    finish(farm, must_claim(farm, node_id), findings=Findings(divisible=divisible(others=False)))
    took = {"cpu_seconds": 10.0, "energy_joules": 50.0, "speed": 2.0, "fps": 50.0}
    for _ in range(2):
        finish(farm, must_claim(farm, node_id), metrics={"frames": 1600, "output_bytes": 7000, **took})
    own = {"frames": 3000, "duration": 120.0, "output_bytes": 12_000, "cpu_seconds": None, "speed": 9.0}
    finish(farm, must_claim(farm, node_id), metrics=own)
    assert amounts(farm) == {
        "frames": 3000,
        "video_seconds": 120,
        "output_bytes": 12_000,
        "cpu_seconds": 20,
        "energy_joules": 100,
    }
    speeds = ("ffrtmp_encode_speed_ratio_sum", "ffrtmp_encode_speed_ratio_count")
    assert [page_of(farm).value(name, scenario=SCENARIO, node=node_id) for name in speeds] == [4.0, 2]


class Twins:
    """A file in two chunks, of which one was run twice; both runs took 10 seconds."""

    def __init__(self, farm: Farm, clock: FakeClock) -> None:
        self.farm = farm
        self.fast, self.slow = (register(farm, caller=AGENT, media_roots=["films"]) for _ in range(2))
        self.parent = submit(farm, SCENARIO, input="media:films/a.mp4", parameters={"split": 2, "crf": 23})
        finish(farm, must_claim(farm, self.fast), findings=Findings(divisible=divisible(others=False)))
        quick, self.first = must_claim(farm, self.fast), must_claim(farm, self.slow)
        clock.advance(10)
        finish(farm, quick, metrics={"cpu_seconds": 10.0})
        tell(farm, self.first, 60.0)
        self.twin = must_claim(farm, self.fast)
        clock.advance(10)

    def value(self, name: str, **labels: str) -> float | None:
        return page_of(self.farm).value(name, scenario=SCENARIO, **labels)


@pytest.mark.parametrize("wins", ["first", "twin"])
def test_a_chunk_that_is_run_twice_is_one_job_with_two_attempts(
    farm: Farm, clock: FakeClock, wins: str
) -> None:
    pair = Twins(farm, clock)
    view = pair.first if wins == "first" else pair.twin
    finish(farm, view, metrics={"cpu_seconds": 7.0, "speed": 2.0})
    assert pair.value("ffrtmp_jobs_submitted_total", priority="medium") == 3
    assert pair.value("ffrtmp_jobs_finished_total", status="completed") == 2
    assert pair.value("ffrtmp_jobs_finished_total", status="canceled") is None
    assert pair.value("ffrtmp_job_claims_total", priority="medium") == 4  # with the plan
    assert pair.value("ffrtmp_attempts_total", outcome="completed") == 2
    assert pair.value("ffrtmp_attempts_total", outcome="canceled") == 1
    assert pair.value("ffrtmp_attempt_seconds_count", outcome="canceled") == 1
    assert pair.value("ffrtmp_encode_cpu_seconds_total") == 17
    page = page_of(farm)
    assert page.value("ffrtmp_job_queue_seconds_count", priority="medium") == 3
    assert page.value("ffrtmp_queue_jobs", priority="medium") == 1  # the join
    speeds = page.all("ffrtmp_encode_speed_ratio_count")
    assert [each["node"] for each in speeds] == [pair.slow if wins == "first" else pair.fast]


def test_a_twin_that_fails_is_a_failed_attempt_and_no_failed_job(farm: Farm, clock: FakeClock) -> None:
    pair = Twins(farm, clock)
    finish(farm, pair.twin, JobStatus.FAILED, error=Failure("encoder_error", "no such option"))
    assert pair.value("ffrtmp_attempts_total", outcome="failed") == 1
    assert page_of(farm).value("ffrtmp_attempt_failures_total", code="encoder_error") == 1
    assert pair.value("ffrtmp_jobs_finished_total", status="failed") is None


def test_of_a_ladder_each_rung_counts_once(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, max_concurrent_jobs=8)
    divide(farm, node_id, submit(farm, SCENARIO, parameters=LADDER))
    made = {"frames": 300, "duration": 10.0, "output_bytes": 1000, "cpu_seconds": 5.0, "energy_joules": 9.0}
    for _ in range(4):  # and the join, which says the same of what it joined
        finish(farm, must_claim(farm, node_id), metrics=made)
    assert amounts(farm) == {
        "frames": 900,
        "video_seconds": 30,
        "output_bytes": 3000,
        "cpu_seconds": 15,
        "energy_joules": 27,
    }


def test_names_from_outside_make_no_series_of_their_own(clock: FakeClock) -> None:
    """A scenario that left the catalogue, a code that an agent of another maker invented."""
    measures = Measures()
    failed = events.JobFailed("gone", clock().wall, "n", Outcome.FAILED, Failure("it_rained", "it rained"))
    Happenings(measures, lambda _: None).hear([Heard(1, None, failed, None)])
    value = measures.registry.get_sample_value
    assert value("ffrtmp_attempts_total", {"scenario": "other", "outcome": "failed"}) == 1
    assert value("ffrtmp_attempt_failures_total", {"code": "other"}) == 1
    assert "other" not in SCENARIOS
    assert "other" not in KINDS


def test_a_removed_node_has_no_series_any_more(farm: Farm) -> None:
    for name in ("stays", "goes"):
        submit(farm, SCENARIO)
        node_id = register(farm, name, labels={"name": name})
        finish(farm, must_claim(farm, node_id), metrics={"speed": 1.0, "fps": 30.0})
    assert len(page_of(farm).all("ffrtmp_encode_speed_ratio_sum")) == 2
    nodes.remove(farm, OPERATOR, node_id)
    page = page_of(farm)
    for name in page.families:
        for labels in (sample.labels for sample in page.families[name].samples):
            assert labels.get("node") != node_id, name
    assert len(page.all("ffrtmp_encode_speed_ratio_sum")) == 1


def test_routes_methods_and_statuses_are_bounded() -> None:
    measures = Measures()
    measures.answered("/jobs/<job_id>", "GET", 404, 0.2)
    measures.answered(None, "BREW", 405, 0.1)
    value = measures.registry.get_sample_value
    known = {"route": "/jobs/<job_id>", "method": "GET", "status": "4xx"}
    assert value("ffrtmp_http_request_seconds_sum", known) == 0.2
    strange = {"route": "other", "method": "other", "status": "4xx"}
    assert value("ffrtmp_http_request_seconds_count", strange) == 1
