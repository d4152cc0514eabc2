"""Which jobs refer to which stored file."""

from __future__ import annotations

from common.inputs import stored_file
from common.model import NO_FINDINGS, Job


def files_of(job: Job) -> set[str]:
    """The SHA-256 of each file in the file store that a job reads or made."""
    if job.input is None and job.findings is NO_FINDINGS:
        return set()  # most often by far
    divisible = job.findings.divisible
    handed_on = None if divisible is None else divisible.input
    names = [job.input, handed_on, *(artifact.location for artifact in job.findings.artifacts)]
    return {found for name in names if name is not None and (found := stored_file(name)) is not None}


class References:
    """Kept in step with the jobs, so that each question is cheap."""

    def __init__(self) -> None:
        self._by_file: dict[str, set[str]] = {}

    def add(self, job: Job) -> None:
        """A job has come, or come back changed."""
        for sha256 in files_of(job):
            self._by_file.setdefault(sha256, set()).add(job.id)

    def add_input(self, job_id: str, name: str) -> None:
        """A job has come that refers to nothing but its input."""
        if (sha256 := stored_file(name)) is not None:
            self._by_file.setdefault(sha256, set()).add(job_id)

    def discard(self, job: Job) -> None:
        """This job, as it was, is gone."""
        for sha256 in files_of(job):
            jobs = self._by_file.get(sha256, set())
            jobs.discard(job.id)
            if not jobs:
                self._by_file.pop(sha256, None)

    def to(self, sha256: str) -> frozenset[str]:
        """The ids of the jobs that refer to the file."""
        return frozenset(self._by_file.get(sha256, ()))
