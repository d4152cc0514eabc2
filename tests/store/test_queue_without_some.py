"""The first job of the queue that is not left out is found, whatever has come and gone."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from common.model import Confidence, Constraints, Hardware, Job, Node, Now, Priority
from master import scheduler
from master.store.queue import Queue

AT = datetime(2026, 1, 1, tzinfo=UTC)
NODE = Node("node-1", "worker-01", Hardware(), {}, AT, approved=True)
JOBS = st.lists(st.tuples(st.sampled_from(Priority), st.booleans(), st.booleans()), max_size=30)
"""Of each: its priority, whether it has gone again, and whether it is left out."""


def a_job(number: int, priority: Priority) -> Job:
    place = number * 7919 % 31  # not in the order in which they come
    return Job(
        f"job-{number}", number, "720p-h264", Confidence.AUTO, {}, priority, Constraints(), AT, 3, place=place
    )


@given(JOBS)
def test_the_first_that_is_not_left_out_is_found(made: list[tuple[Priority, bool, bool]]) -> None:
    queue, now = Queue(), Now(AT, 0.0)
    jobs = [a_job(number, priority) for number, (priority, _, _) in enumerate(made)]
    for job in jobs:
        queue.put(job, now)
    for job, (_, gone, _) in zip(jobs, made, strict=True):
        if gone:
            queue.remove(job)
    out = {job.seq for job, (_, _, left_out) in zip(jobs, made, strict=True) if left_out}
    rest = [job for job, (_, gone, left_out) in zip(jobs, made, strict=True) if not gone and not left_out]
    first = min(rest, key=scheduler.order, default=None)
    found = list(queue.heads(NODE, lambda seq: seq in out))
    assert found == ([] if first is None else [first.seq])
    assert list(queue.heads(NODE, lambda seq: seq in out)) == found, "looking changes nothing"
