"""What the jobs of a family hand to each other goes from the file store as soon as the family is finished.

That is what a node put there, and nobody else; what no job needs but those of finished families, as an
intermediate artifact, as an input that a plan put there for the others, or as what was never reported.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from itertools import islice

from common.inputs import FILE
from common.job_files import job_file
from common.model import ArtifactKind, Job
from master.files import FileEntry
from master.lifecycle import families
from master.service import files, handing
from master.service.farm import Farm
from master.store.interface import Transaction
from master.store.references import files_of

log = logging.getLogger(__name__)

_AT_ONCE = 100
"""Files that are looked at under one hold of the store's lock."""


def sweep(farm: Farm) -> int:
    """Remove what is due, and say how many: of all after a start, else of what came or may go since.

    If another master did it before, it may have been killed amid it: what is on disk is looked at first.

    OSError if the disk refuses: then all of it is due again.
    """
    everything = farm.all_due.is_set()
    farm.all_due.clear()
    ended = [farm.ended.popleft() for _ in range(len(farm.ended))]
    store = farm.shelf.store
    fresh = store.index.take_fresh()
    try:
        if everything and farm.store.shared:
            store.load(farm.clock())
        if everything:
            return _remove(farm, (entry.sha256 for entry in store.all() if entry.by_nodes))
        return _remove(farm, dict.fromkeys([*fresh, *_used_by(farm, ended)]))
    except OSError:
        farm.all_due.set()
        raise


def leave_to_others(farm: Farm) -> None:
    """Another master does it. Should it be this one's some day, each file may have to go."""
    farm.ended.clear()
    farm.all_due.set()


def _used_by(farm: Farm, ended: Iterable[str]) -> list[str]:
    """The files that finished jobs and their families put here or read: no others may go for their end."""
    found: list[str] = []
    looked_at: set[str] = set()
    for job_id in ended:
        with farm.store.transaction(farm.clock()) as tx:
            job = tx.job(job_id)
            if job is None or (head := tx.head(job)).id in looked_at or not head.status.final:
                continue
            looked_at.add(head.id)
            wanted = job_file(head.input)
            maker = None if wanted is None else tx.job(wanted.job_id)
            for each in (*(tx.family(head) or (head,)), *(() if maker is None else (maker,))):
                found += files_of(each)
                found += farm.shelf.store.index.put_for(each.id)
    return found


def _remove(farm: Farm, names: Iterable[str]) -> int:
    rest, gone, store = iter(names), 0, farm.shelf.store
    while some := list(islice(rest, _AT_ONCE)):
        with store.changing:
            with farm.store.transaction(farm.clock()) as tx:
                entries = [entry for each in some if (entry := files.seized(farm, each)) is not None]
                leaving = [entry for entry in entries if entry.by_nodes and _is_left_over(farm, tx, entry)]
                for entry in leaving:
                    store.index.remove(entry.sha256)
            for entry in leaving:
                store.erase(entry.sha256)
                log.info(
                    "the file %s (%d bytes) is removed: its family is finished", entry.sha256, entry.size
                )
        gone += len(leaving)
    return gone


def _is_left_over(farm: Farm, tx: Transaction, entry: FileEntry) -> bool:
    """Whether nobody needs the file any more, and it was only ever meant for jobs of a family."""
    maker = None if entry.job_id is None else tx.job(entry.job_id)
    if maker is not None and not tx.head(maker).status.final:
        return False
    known = tx.referring_to(entry.sha256)
    if handing.readers(farm, tx, entry.sha256):
        return False
    if not known:
        return maker is not None and families.hands_on(maker)
    if not {holding.owner for holding in entry.holdings} <= {job.owner for job in known}:
        return False  # somebody else's: that a node names it in a report is no reason
    return all(tx.head(job).status.final and _hands_on(tx, job, entry.sha256) for job in known)


def _hands_on(tx: Transaction, job: Job, sha256: str) -> bool:
    """Whether the file is nothing to `job` but what goes to and fro in its family."""
    name = f"{FILE}{sha256}"
    kinds = {each.kind for each in job.findings.artifacts if each.location == name}
    if kinds - {ArtifactKind.INTERMEDIATE}:
        return False
    return job.input != name or (job.parent_id is not None and tx.head(job).input != name)
