"""What holds on any farm, whatever is done there in whatever order: no job is lost, doubled or undone."""

from __future__ import annotations

from hypothesis.stateful import invariant

from common.model import JobStatus, Outcome, Stage
from master.lifecycle import twins
from master.service import nodes
from tests.core.busy_farm import BusyFarm, is_planned


class SoundFarm(BusyFarm):
    """What holds after each step."""

    @invariant()
    def no_acknowledged_job_is_missing(self) -> None:
        assert set(self.job_ids) <= set(self.records()) | set(self.archived())

    @invariant()
    def nothing_is_archived_twice(self) -> None:
        archived = self.archived()
        assert len(set(archived)) == len(archived)

    @invariant()
    def final_is_final(self) -> None:
        for job_id, job in self.records().items():
            assert self.final.get(job_id, job.status) == job.status
            if job.status.final:
                self.final[job_id] = job.status

    @invariant()
    def a_job_has_one_owner_at_most(self) -> None:
        for job in self.records().values():
            running = [attempt for attempt in job.attempts if attempt.outcome is None]
            assert len(running) == (1 if job.status is JobStatus.RUNNING else 0)
            assert sum(a.outcome is Outcome.COMPLETED for a in job.attempts) == (
                1 if job.status is JobStatus.COMPLETED and not job.is_by_twin else 0
            )
            looked_at = is_planned(job) and job.stage is not Stage.PLAN
            assert sum(a.outcome is Outcome.DIVIDED for a in job.attempts) == looked_at

    @invariant()
    def attempts_are_numbered_upwards_and_bounded(self) -> None:
        for job in self.records().values():
            numbers = [attempt.number for attempt in job.attempts]
            assert numbers == sorted(set(numbers))
            assert job.attempts_used <= job.max_attempts

    @invariant()
    def families_hold_together(self) -> None:
        records, archived = self.records(), set(self.archived())
        for job in records.values():
            every = [each for each in records.values() if each.parent_id == job.id]
            parts = [each for each in every if each.twin_of is None]
            assert (job.stage is Stage.JOIN) == (bool(job.parts) and is_planned(job))
            assert sorted(str(each.part) for each in parts) == sorted(job.parts), (
                "a part is gone before its parent"
            )
            if job.status.final:
                assert all(each.status.final for each in every), "a part or a twin outlives its parent"
            if job.status is JobStatus.COMPLETED or (job.parts and job.status is JobStatus.RUNNING):
                assert all(each.status is JobStatus.COMPLETED for each in parts)
            if job.awaits_parts and not job.status.final:
                assert not any(each.status in (JobStatus.FAILED, JobStatus.CANCELED) for each in parts)
                assert any(not each.status.final for each in parts), "it waits for nothing"
            if job.parent_id is not None:
                assert (job.parent_id in archived) <= (job.id in archived)

    @invariant()
    def a_part_has_one_twin_at_most_which_is_the_same_part_and_ends_with_it(self) -> None:
        records = self.records()
        for twin in [job for job in records.values() if job.twin_of is not None]:
            first = records.get(twin.twin_of or "")
            assert first is not None, "a twin outlives its part in the memory"
            assert (first.twin_of, twin.id) == (None, twins.twin_id(first.id))
            assert (first.parent_id, first.part, first.window) == (twin.parent_id, twin.part, twin.window)
            assert twin.attempts_used <= 1
            assert twin.status.final or not first.status.final, "a twin outlives its part"
            if twin.lease is not None and first.lease is not None:
                assert twin.lease.node_id != first.lease.node_id, "a node runs a part and its twin"

    @invariant()
    def who_waits_for_a_twin_or_was_completed_by_one_has_it(self) -> None:
        records = self.records()
        for job in records.values():
            twin = records.get(twins.twin_id(job.id))
            if job.awaits_twin:
                assert twin is not None
                assert not twin.status.final, "nothing runs of what is waited for"
            if job.is_by_twin:
                assert twin is not None
                assert twin.status is JobStatus.COMPLETED
                assert (job.metrics, job.findings) == (twin.metrics, twin.findings)

    @invariant()
    def each_part_of_a_completed_file_counts_once(self) -> None:
        """In the sums of its result, and among the results that are listed."""
        records, (listed, count) = self.records(), self.listed_results()
        assert count == len(listed)
        for job in records.values():
            if job.status is not JobStatus.COMPLETED or job.stage is not Stage.JOIN:
                continue
            if "split" in job.parameters:  # each part says that it took a second, and so does the join
                assert (job.metrics or {})["cpu_seconds"] == len(job.parts) + 1
                chunks = sum(name.startswith("chunk-") for name in job.parts)
                assert (job.metrics or {})["chunks"] == chunks
            results = [each.part for each in listed if each.parent_id == job.id and each.status is job.status]
            assert sorted(map(str, results)) == sorted(job.parts), "a part has no result, or two"

    @invariant()
    def whoever_depends_on_others_waits_for_them_and_not_in_vain(self) -> None:
        records = self.records()
        for job in records.values():
            if job.status.final or not job.depends_on:
                assert job.parent_id is None or not job.depends_on, "a finished part keeps names"
                continue
            assert set(job.depends_on) <= set(records), "what it depends on has left the memory"
            on = [records[each].status for each in job.depends_on]
            if job.awaits_jobs:
                assert job.status is not JobStatus.RUNNING
                assert not {JobStatus.FAILED, JobStatus.CANCELED} & set(on), "it waits for what cannot come"
                assert set(on) != {JobStatus.COMPLETED}, "it waits for nothing"
            else:
                assert set(on) == {JobStatus.COMPLETED}, "it did not wait"

    @invariant()
    def no_node_holds_more_than_its_slots(self) -> None:
        for view in nodes.all_nodes(self.farm):
            assert view.running <= view.node.max_concurrent_jobs

    @invariant()
    def what_runs_alone_has_its_node_for_itself(self) -> None:
        running = [job for job in self.records().values() if job.lease is not None]
        for node in self.node_records():
            held = [job for job in running if job.lease and job.lease.node_id == node.id]
            assert len(held) <= 1 or not any(job.constraints.alone for job in held)

    @invariant()
    def what_is_set_aside_or_paused_gets_nothing(self) -> None:
        for node in self.node_records():
            assert len(node.failing) <= 3
            assert (node.quarantined is not None) == (len(node.failing) == 3)
        for job in self.records().values():
            assert (job.lease is not None) == (job.status is JobStatus.RUNNING)
