"""The jobs that run on each node."""

from __future__ import annotations

from common.model import Job


class Holdings:
    """Kept in step with the jobs. A node's are put in order when somebody asks, and then kept."""

    def __init__(self) -> None:
        self._jobs: dict[str, dict[str, Job]] = {}
        self._in_order: dict[str, tuple[Job, ...]] = {}

    def put(self, node_id: str, job: Job) -> None:
        """A node runs this job, which it may have run before it changed."""
        jobs = self._jobs.setdefault(node_id, {})
        known = self._in_order.pop(node_id, None)
        # A node with many slots is given one after the other, mostly in this order.
        if known is not None and job.id not in jobs and (not known or known[-1].seq < job.seq):
            self._in_order[node_id] = (*known, job)
        jobs[job.id] = job

    def discard(self, node_id: str, job_id: str) -> None:
        """It does so no longer."""
        jobs = self._jobs.get(node_id)
        if jobs is not None and jobs.pop(job_id, None) is not None:
            self._in_order.pop(node_id, None)
            if not jobs:
                del self._jobs[node_id]

    def forget(self, node_id: str) -> None:
        """The node is gone."""
        self._jobs.pop(node_id, None)
        self._in_order.pop(node_id, None)

    def of(self, node_id: str) -> tuple[Job, ...]:
        """A node's jobs, oldest first."""
        found = self._in_order.get(node_id)
        if found is None:
            jobs = self._jobs.get(node_id)
            if not jobs:
                return ()
            found = self._in_order[node_id] = tuple(sorted(jobs.values(), key=lambda job: job.seq))
        return found
