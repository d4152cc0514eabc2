"""Submitters take turns: however many jobs one of them has waiting, the others' come between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.model import Confidence, Constraints, Hardware, Job, Node, Now, Priority, Role
from common.schema import SubmitSchema
from master.service import Caller, Farm, jobs
from master.store.queue import Queue
from master.store.rounds import Rounds
from tests.core.support import FakeClock, finish, make_farm, must_claim, register

AT = datetime(2026, 1, 1, tzinfo=UTC)
NODE = Node("node-1", "worker-01", Hardware(), {}, AT, approved=True)
KINDS = (Constraints(), Constraints(encoders=("libx265",)), Constraints(gpu=True))
"""The node has no GPU."""


def submit(farm: Farm, owner: str | None, count: int, priority: str = "medium") -> None:
    caller = Caller(Role.OPERATOR if owner is None else Role.SUBMITTER, name=owner)
    for _ in range(count):
        jobs.submit(farm, caller, SubmitSchema().load({"scenario": "720p-h264", "priority": priority}))


def given_out(farm: Farm, node_id: str, count: int) -> list[str | None]:
    """Whose the next jobs are, which are done one after the other."""
    owners = []
    for _ in range(count):
        view = must_claim(farm, node_id)
        owners.append(view.job.owner)
        finish(farm, view)
    return owners


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    return make_farm(tmp_path, FakeClock())


def test_a_few_jobs_do_not_wait_for_another_submitters_many(farm: Farm) -> None:
    node_id = register(farm)
    submit(farm, "bulk", 50)
    submit(farm, "amy", 3)
    assert given_out(farm, node_id, 8) == ["bulk", "amy", "bulk", "amy", "bulk", "amy", "bulk", "bulk"]


def test_the_operators_are_one_submitter(farm: Farm) -> None:
    node_id = register(farm)
    submit(farm, None, 5)
    submit(farm, "amy", 2)
    assert given_out(farm, node_id, 6) == [None, "amy", None, "amy", None, None]


def test_a_higher_priority_still_goes_first(farm: Farm) -> None:
    node_id = register(farm)
    submit(farm, "amy", 2)
    submit(farm, "bulk", 3, "high")
    assert given_out(farm, node_id, 5) == ["bulk", "bulk", "bulk", "amy", "amy"]


def test_who_comes_late_has_saved_nothing_up(farm: Farm) -> None:
    node_id = register(farm)
    submit(farm, "bulk", 20)
    given_out(farm, node_id, 10)
    submit(farm, "amy", 5)
    assert given_out(farm, node_id, 6) == ["amy", "bulk", "amy", "bulk", "amy", "bulk"]


def test_who_submits_one_by_one_gets_no_more_than_the_others(farm: Farm) -> None:
    node_id = register(farm)
    submit(farm, "bulk", 20)
    owners = []
    for _ in range(8):
        submit(farm, "amy", 1)
        owners += given_out(farm, node_id, 1)
    assert owners == ["bulk", "amy"] * 4


def test_it_is_the_same_after_a_restart_but_for_the_round(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    node_id = register(farm)
    submit(farm, "bulk", 4)
    submit(farm, "amy", 4)
    assert given_out(farm, node_id, 2) == ["bulk", "amy"]
    farm.store.close()
    again = make_farm(tmp_path, FakeClock())
    assert given_out(again, node_id, 6) == ["bulk", "amy"] * 3


def test_a_round_never_falls_while_somebody_waits() -> None:
    rounds = Rounds()
    for owner in ("a", "a", "b", "a", None, "b"):
        before = {each: rounds.of(each) for each in ("a", "b", "c", None)}
        rounds.given(owner)
        assert all(rounds.of(each) >= known for each, known in before.items())
        assert rounds.of(owner) == before[owner] + 1


def a_job(number: int, asked: tuple[Priority, str | None, Constraints, int | None]) -> Job:
    priority, owner, kind, place = asked
    job = Job(f"job-{number}", number, "720p-h264", Confidence.AUTO, {}, priority, kind, AT, 3)
    return replace(job, owner=owner, place=place)


def test_who_was_first_in_a_lane_is_not_for_ever() -> None:
    """A part comes late and goes where its job goes: before all that were submitted after that."""
    queue, now = Queue(), Now(AT, 0.0)
    for number, owner in ((5, "amy"), (4, "bob")):
        queue.put(a_job(number, (Priority.HIGH, owner, KINDS[0], None)), now)
    assert list(queue.heads(NODE)) == [4]
    queue.put(a_job(9, (Priority.HIGH, "amy", KINDS[0], 2)), now)
    assert list(queue.heads(NODE)) == [9]


class Model:
    """The queue as its documentation says, with a look at every job."""

    def __init__(self) -> None:
        self.waiting: list[Job] = []
        self.now = dict.fromkeys(Priority, 0)
        self.next: dict[tuple[Priority, str | None], int] = {}

    def round(self, job: Job) -> int:
        return max(self.now[job.priority], self.next.get((job.priority, job.owner), 0))

    def heads(self) -> list[int]:
        """The first of each kind that the node can run."""
        order = sorted(self.waiting, key=lambda job: (job.priority.rank, self.round(job), job.turn))
        firsts = {job.constraints: job for job in reversed(order) if not job.constraints.gpu}
        return [job.seq for job in order if job in firsts.values()]

    def remove(self, job: Job, *, was_given: bool) -> None:
        self.waiting.remove(job)
        if was_given:
            self.now[job.priority] = self.round(job)
            self.next[job.priority, job.owner] = self.now[job.priority] + 1
        if not any(each.priority is job.priority for each in self.waiting):
            self.now[job.priority] = 0
            self.next = {key: value for key, value in self.next.items() if key[0] is not job.priority}


JOBS = st.tuples(
    st.sampled_from(list(Priority)[:2]),
    st.sampled_from([None, "amy", "bob", "eve"]),
    st.sampled_from(KINDS),
    st.none() | st.integers(0, 20),
)
STEPS = st.lists(st.one_of(JOBS, st.tuples(st.integers(0, 5), st.booleans())), max_size=60)
"""A job comes; or one of the first goes: given to a node, or canceled."""


@given(STEPS)
def test_whatever_comes_and_goes_the_first_of_each_kind_is_who_should_be(
    steps: list[tuple[object, ...]],
) -> None:
    queue, model, now = Queue(), Model(), Now(AT, 0.0)
    for number, step in enumerate(steps):
        match step:
            case (Priority(), _, _, _):
                job = a_job(number, cast("Any", step))
                queue.put(job, now)
                model.waiting.append(job)
            case (int() as which, bool() as was_given) if model.waiting:
                job = model.waiting[which % len(model.waiting)]
                queue.remove(job, given=was_given)
                model.remove(job, was_given=was_given)
        assert list(queue.heads(NODE)) == model.heads()
        for priority in Priority:
            waiting = [job.seq for job in model.waiting if job.priority is priority]
            assert queue.waiting(priority) == (len(waiting), min(waiting, default=None))
