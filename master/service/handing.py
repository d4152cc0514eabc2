"""What one job hands on to another through the file store: an artifact, by its hash."""

from __future__ import annotations

from dataclasses import replace

from common.inputs import FILE
from common.job_files import JobFile, job_file
from common.model import Job
from master.lifecycle import chains, commands
from master.service.farm import Farm
from master.service.views import JobView
from master.store.interface import Transaction


def handed_on(farm: Farm, tx: Transaction, job: Job) -> str | None:
    """The SHA-256 of what another job made for `job` to read; None if it reads no such thing.

    ValueError, a sentence, if it is not to be had. A node says what its job made: so that it cannot name
    what is another's, the file must have been put for that job's owner.
    """
    wanted = job_file(job.input)
    if wanted is None:
        return None
    maker = tx.job(wanted.job_id)
    if maker is None:
        raise ValueError(f"job {wanted.job_id}, which was to make the input, is gone")
    sha256 = chains.made_by(maker, wanted)
    entry = farm.shelf.store.get(sha256)
    if entry is None or (maker.owner is not None and entry.held_by(maker.owner) is None):
        raise ValueError(
            f"{wanted.path!r} of job {maker.id} is not in the file store any more: retry that job"
        )
    return sha256


def disappoint(farm: Farm, tx: Transaction, job: Job) -> bool:
    """Whether `job`, which a node was to get, cannot begin, as its input is gone: then it fails now."""
    try:
        handed_on(farm, tx, job)
    except ValueError as error:
        wanted = job_file(job.input)
        assert wanted is not None  # noqa: S101 - else nothing was looked for
        farm.decide(tx, commands.Disappoint(wanted.job_id, str(error)), job=job)
        return True
    return False


def with_input(farm: Farm, tx: Transaction, view: JobView) -> JobView:
    """A claimed job as its node gets it: with the name of the file that another job made."""
    try:
        sha256 = handed_on(farm, tx, view.job)
    except ValueError:
        return view  # it is given again, and the file is gone since: the node says that it cannot read this
    return view if sha256 is None else replace(view, job=replace(view.job, input=f"{FILE}{sha256}"))


def reads(farm: Farm, tx: Transaction, job: Job, sha256: str) -> bool:
    """Whether another job made this file for `job` to read."""
    try:
        return handed_on(farm, tx, job) == sha256
    except ValueError:
        return False


def readers(farm: Farm, tx: Transaction, sha256: str) -> list[Job]:
    """The unfinished jobs that read this file because another job made it."""
    makers = [job for job in tx.referring_to(sha256) if job.status.final]
    return [
        job
        for maker in makers
        for job in tx.dependents(maker.id)
        if not job.status.final and reads(farm, tx, job, sha256)
    ]


def renamed(job: Job, wanted: JobFile, job_id: str) -> Job:
    """`job` with the input that it wants from the job `job_id`, in place of another or a place in a batch."""
    return replace(job, input=str(JobFile(job_id, wanted.path)))
