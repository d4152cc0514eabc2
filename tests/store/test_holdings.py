"""What runs on a node is known in order, however it came and went."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from common.model import Job
from master.store.holdings import Holdings
from tests.store.test_packed_jobs import JOB

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "discard", "look", "forget"]), st.integers(0, 5), st.sampled_from("nm")
    ),
    max_size=40,
)


@given(STEPS)
def test_it_is_what_came_and_did_not_go_oldest_first(steps: list[tuple[str, int, str]]) -> None:
    holdings, expected = Holdings(), dict[str, dict[int, Job]]()
    for number, (step, seq, node_id) in enumerate(steps):
        jobs = expected.setdefault(node_id, {})
        if step == "put":
            jobs[seq] = replace(JOB, id=f"job-{seq}", seq=seq, max_attempts=number)
            holdings.put(node_id, jobs[seq])
        elif step == "discard":
            jobs.pop(seq, None)
            holdings.discard(node_id, f"job-{seq}")
        elif step == "forget":
            jobs.clear()
            holdings.forget(node_id)
        else:
            assert holdings.of(node_id) == tuple(jobs[each] for each in sorted(jobs))
    for node_id, jobs in expected.items():
        assert holdings.of(node_id) == tuple(jobs[each] for each in sorted(jobs))
