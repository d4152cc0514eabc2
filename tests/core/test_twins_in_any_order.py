"""Whatever is done in whatever order to a file in chunks: each chunk counts once, with one twin at most."""

from __future__ import annotations

import contextlib
import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from common.failures import KINDS
from common.model import Failure, Job, JobStatus, Outcome, Progress, Stage
from common.problems import Problem
from master.lifecycle import commands, twins
from master.service import JobView, jobs, nodes, work
from master.service.farm import Farm
from tests.core.support import (
    OPERATOR,
    FakeClock,
    claim,
    crash,
    crash_all,
    directory_in_memory,
    divisible,
    embedded,
    make_farm,
    parts,
    report,
)
from tests.core.test_splits import plan, split
from tests.core.test_which_chunk_goes_where import node

PICK = st.integers(0, 4)
CODES = st.sampled_from([None, None, None, *KINDS])


class Twins(RuleBasedStateMachine):
    """Nodes of different speed encode one file, hang, fail, come back, and the master is killed."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = contextlib.ExitStack()
        self.root = self._stack.enter_context(directory_in_memory())
        self.clock = FakeClock()
        self.farm = self.start()
        self.claims: list[JobView] = []
        self.final: dict[str, Job] = {}

    def start(self) -> Farm:
        return make_farm(self.root, self.clock, max_attempts=2, retry_backoff=1, quarantine_after=0)

    @initialize(looks=st.booleans(), others=st.booleans())
    def a_file(self, *, looks: bool, others: bool) -> None:
        self.nodes = [node(self.farm) for _ in range(4)]
        rate = {"bitrate": "1M"} if looks else {"crf": 23}
        self.parent_id = split(self.farm, {"split": 3, **rate})
        plan(self.farm, self.nodes[0], divisible(others=others))

    def parts(self) -> list[Job]:
        return parts(self.farm, self.parent_id)

    def parent(self) -> Job:
        return jobs.get(self.farm, OPERATOR, self.parent_id).job

    @rule(pick=PICK)
    def claim(self, pick: int) -> None:
        node_id = self.nodes[pick % len(self.nodes)]
        view = claim(self.farm, node_id)
        if view is not None:
            self.claims.insert(0, view)

    @rule(pick=PICK, left=st.sampled_from([1.0, 20.0, 500.0]))
    def tell(self, pick: int, left: float) -> None:
        for view in self.claims[pick : pick + 1]:
            lease = view.job.lease
            assert lease is not None
            how = Progress(percent=30.0, seconds_left=left)
            with contextlib.suppress(Problem):
                work.progress(self.farm, OPERATOR, view.job.id, lease.node_id, lease.lease_id, how, [])

    @rule(pick=PICK, code=CODES)
    def finish(self, pick: int, code: str | None) -> None:
        status = JobStatus.COMPLETED if code is None else JobStatus.FAILED
        error = None if code is None else Failure(code, "it went wrong")
        for view in self.claims[pick : pick + 1]:
            with contextlib.suppress(Problem):
                work.finish(self.farm, OPERATOR, report(view, status, error=error), [])

    @rule(seconds=st.sampled_from([5, 10, 10, 50, 100]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        work.reap(self.farm)

    @rule(pick=PICK)
    def hand_back(self, pick: int) -> None:
        for view in self.claims[pick : pick + 1]:
            lease = view.job.lease
            assert lease is not None
            with contextlib.suppress(Problem):
                work.release(self.farm, OPERATOR, view.job.id, lease.node_id, lease.lease_id)

    @rule(pick=PICK)
    def everybody_is_heard(self, pick: int) -> None:
        for node_id in self.nodes[pick:]:
            nodes.heartbeat(self.farm, OPERATOR, node_id, None)

    @rule(
        pick=st.integers(0, 40),
        command=st.sampled_from([commands.PauseJob(), commands.ResumeJob(), commands.Cancel()]),
    )
    def change_a_part(self, pick: int, command: commands.JobCommand) -> None:
        for part in self.parts()[pick : pick + 1]:
            with contextlib.suppress(Problem):
                jobs.change(self.farm, OPERATOR, part.id, command)

    @rule(command=st.sampled_from([commands.PauseJob(), commands.ResumeJob(), commands.ResumeJob()]))
    def pause_or_resume_the_file(self, command: commands.JobCommand) -> None:
        with contextlib.suppress(Problem):
            jobs.change(self.farm, OPERATOR, self.parent_id, command)

    @rule()
    def crash_and_replay(self) -> None:
        before = embedded(self.farm)._state.jobs
        crash(self.farm.store)
        self.farm = self.start()
        assert embedded(self.farm)._state.jobs == before
        self.farm.begin()
        assert embedded(self.farm)._state.jobs == before, "nothing was lost, so nothing is to be settled"

    @invariant()
    def a_part_has_one_twin_at_most_and_it_is_the_same_part(self) -> None:
        found = {part.id: part for part in self.parts()}
        for twin in [part for part in found.values() if part.twin_of is not None]:
            first = found[twin.twin_of or ""]
            assert (first.twin_of, twin.id) == (None, twins.twin_id(first.id))
            assert (first.part, first.window, first.stage) == (twin.part, twin.window, twin.stage)
            assert len(twin.attempts) == 1

    @invariant()
    def each_part_is_completed_by_one_attempt(self) -> None:
        found = {part.id: part for part in self.parts()}
        for first in [part for part in found.values() if part.twin_of is None]:
            twin = found.get(twins.twin_id(first.id))
            attempts = [*first.attempts, *(twin.attempts if twin else ())]
            completed = [each for each in attempts if each.outcome is Outcome.COMPLETED]
            assert len(completed) == (first.status is JobStatus.COMPLETED)
            running = [each.node_id for each in attempts if each.outcome is None]
            assert len(running) == len(set(running)), "a node runs a part and its twin"
            if first.is_by_twin and twin is not None:
                assert (first.metrics, first.findings) == (twin.metrics, twin.findings)

    @invariant()
    def who_waits_for_a_twin_has_one_that_runs(self) -> None:
        found = {part.id: part for part in self.parts()}
        for part in found.values():
            if part.awaits_twin:
                assert part.status in (JobStatus.PENDING, JobStatus.PAUSED)
                assert found[twins.twin_id(part.id)].status is JobStatus.RUNNING
            assert part.attempts_used <= part.max_attempts

    @invariant()
    def no_twin_runs_whose_part_is_finished(self) -> None:
        found = {part.id: part for part in self.parts()}
        for part in found.values():
            if part.twin_of is not None and found[part.twin_of].status.final:
                assert part.status.final

    @invariant()
    def the_file_ends_by_its_parts_and_not_by_their_twins(self) -> None:
        parent, found = self.parent(), [part for part in self.parts() if part.twin_of is None]
        done = all(part.status is JobStatus.COMPLETED for part in found)
        if not parent.status.final:
            assert parent.awaits_parts == (not done)
            assert not any(part.status in (JobStatus.FAILED, JobStatus.CANCELED) for part in found)
        else:
            assert all(part.status.final for part in self.parts())
            assert done or parent.status is not JobStatus.COMPLETED
        assert parent.stage is Stage.JOIN

    @invariant()
    def chunks_that_wait_for_looks_wait_no_longer_than_these_take(self) -> None:
        known = {part.id: part for part in self.parts()}
        for part in known.values():
            looks = [known[each] for each in part.depends_on]
            if not part.status.final:
                assert part.awaits_jobs == any(look.status is not JobStatus.COMPLETED for look in looks)

    @invariant()
    def final_is_final(self) -> None:
        for part in [*self.parts(), self.parent()]:
            assert self.final.get(part.id, part) == part
            if part.status.final:
                self.final[part.id] = part

    def teardown(self) -> None:
        crash_all()
        self._stack.close()


TestTwins = Twins.TestCase
TestTwins.settings = settings(
    max_examples=int(os.environ.get("FFRTMP_TEST_EXAMPLES", "40")), stateful_step_count=50, deadline=None
)
