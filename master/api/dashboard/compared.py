"""The completed jobs that a page compares, from the memory and from the archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common import problems
from common.model import Job, JobStatus
from common.timestamps import timestamp
from master.api.answers import caller, farm
from master.operator.report.runs import Run, run
from master.service import jobs, retention
from master.store.archive import Entry
from master.store.blocks import DamagedError
from master.store.listings import listing_key

MOST = 200
"""Results that are compared at once."""
LOOKED_AT = 2000
"""Of the newest results, those among which a scenario is sought."""
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Compared:
    """A completed job, wherever it is."""

    id: str
    scenario: str
    input: str | None
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any] | None
    node_id: str | None
    finished_at: str | None
    archived: bool = False

    def run(self, names: Mapping[str, str]) -> Run:
        """As reports see it. `names`: what people call each node, by its id."""
        node_id = self.node_id or ""
        return run(
            {
                "job_id": self.id,
                "node": names.get(node_id, node_id[:8]),
                "scenario": self.scenario,
                "input": self.input,
                "parameters": self.parameters,
                "metrics": self.metrics,
                "repeats": (),
            }
        )


def named(ids: Sequence[str]) -> list[Compared]:
    """Those of `ids` that are completed, in this order; `unknown_job` for one that is nowhere."""
    found: dict[str, Compared | None] = {}
    missing: dict[str, problems.Problem] = {}
    for job_id in ids:
        try:
            found[job_id] = _of_memory(jobs.get(farm(), caller(), job_id).job)
        except problems.Problem as problem:
            if problem.type is not problems.UNKNOWN_JOB:
                raise
            missing[job_id] = problem
    for entry in _archived(list(missing)):
        found[entry["job"]["id"]] = _of_archive(entry)
        missing.pop(entry["job"]["id"], None)
    if missing:
        raise next(iter(missing.values()))
    return [each for job_id in ids if (each := found[job_id]) is not None]


def newest(scenario: str) -> list[Compared]:
    """The newest of the memory, of a scenario unless that is empty."""
    found: list[Compared] = []
    after, seen = None, 0
    while len(found) < MOST and seen < LOOKED_AT:
        some, _ = jobs.results_page(farm(), caller(), after, _PAGE)
        wanted = (_of_memory(job) for job in some if scenario in ("", job.scenario) and not job.stage.between)
        found += [each for each in wanted if each is not None]
        seen += len(some)
        if len(some) < _PAGE:
            break
        after = listing_key(some[-1])
    return found[:MOST]


def _archived(ids: Sequence[str]) -> Sequence[Entry]:
    if not ids or farm().archive.empty:
        return ()
    try:
        return retention.named(farm(), caller(), ids)
    except DamagedError as error:
        raise problems.INTERNAL(f"{error}.") from error


def _of_memory(job: Job) -> Compared | None:
    """None: it is not completed."""
    if job.status is not JobStatus.COMPLETED:
        return None
    node_id = None if job.attempt is None else job.attempt.node_id
    finished_at = timestamp(job.finished_at)
    return Compared(job.id, job.scenario, job.input, job.parameters, job.metrics, node_id, finished_at)


def _of_archive(entry: Entry) -> Compared | None:
    job, result = entry["job"], entry["result"]
    if job["status"] != JobStatus.COMPLETED:
        return None
    names = ("id", "scenario", "input", "parameters")
    return Compared(
        **{name: job[name] for name in names},
        metrics=result["metrics"],
        node_id=result["node_id"],
        finished_at=job["finished_at"],
        archived=True,
    )
