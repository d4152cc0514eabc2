"""Whatever is done in whatever order, also across crashes: no job is lost, doubled or undone."""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis.stateful import invariant

from common.model import JobStatus
from tests.core.sound_farm import SoundFarm
from tests.core.support import embedded


class FarmMachine(SoundFarm):
    """And the indexes of the store in this process agree with its records."""

    @invariant()
    def the_index_of_dependents_agrees_with_the_records(self) -> None:
        records, chains = self.records(), embedded(self.farm)._state.chains
        for job in records.values():
            dependents = {each.id for each in records.values() if job.id in each.depends_on}
            assert set(chains.dependents(job.id)) == dependents
            waits = job.awaits_jobs and not job.status.final
            on = [records[each] for each in job.depends_on] if waits else []
            assert chains.unmet(job.id) == sum(each.status is not JobStatus.COMPLETED for each in on)

    @invariant()
    def the_indexes_agree_with_the_records(self) -> None:
        state = embedded(self.farm)._state
        for status in JobStatus:
            assert {job.id for job in state.page(status, None, 1000)} == {
                job.id for job in state.jobs.values() if job.status is status
            }
        assert len(state.page(None, None, 1000)) == len(state.jobs) == state.count()
        whole = {job.id for job in state.jobs.values() if job.parent_id is None}
        assert {job.id for job in state.page(None, None, 1000, whole=True)} == whole
        assert state.count(whole=True) == len(whole)
        for node in state.nodes.values():
            for digest in filter(None, (node.credential_hash, node.replaced_hash)):
                assert state.node_with_credential(digest) is not None
        assert set(state._by_secret.values()) == set(state.tokens)
        held = {(node_id, job.id) for node_id in state.nodes for job in state.held(node_id)}
        assert held == {(job.lease.node_id, job.id) for job in state.jobs.values() if job.lease}


TestFarm = FarmMachine.TestCase
TestFarm.settings = settings(
    max_examples=int(os.environ.get("FFRTMP_TEST_EXAMPLES", "150")), stateful_step_count=60, deadline=None
)
