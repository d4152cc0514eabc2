"""What the jobs of a family hand to each other goes from the file store as soon as the family is finished.

That is what a node put there, and nobody else; what no job needs but those of finished families, as an
intermediate artifact, as an input that a plan put there for the others, or as what was never reported.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from itertools import islice

from common.inputs import FILE
from common.model import ArtifactKind, Job, Stage
from master.files import FileEntry
from master.service import handing
from master.service.farm import Farm
from master.store.memory import Transaction

log = logging.getLogger(__name__)

_AT_ONCE = 100
"""Files that are looked at under one hold of the store's lock."""
_BETWEEN = (Stage.PLAN, Stage.LOOK, Stage.CHUNK, Stage.SOUND, Stage.JOIN)
"""What jobs do that put files into the store for their family."""


def sweep(farm: Farm) -> int:
    """Remove what is due, and say how many: of all after a family's end or a start, else of what came since.

    OSError if the disk refuses: then all of it is due again.
    """
    everything = farm.families_ended.is_set()
    farm.families_ended.clear()
    fresh = farm.shelf.store.take_fresh()
    try:
        if everything:
            return _remove(farm, (entry.sha256 for entry in farm.shelf.store.all() if entry.by_nodes))
        return _remove(farm, fresh)
    except OSError:
        farm.families_ended.set()
        raise


def _remove(farm: Farm, names: Iterable[str]) -> int:
    rest, gone, store = iter(names), 0, farm.shelf.store
    while some := list(islice(rest, _AT_ONCE)):
        with store.changing:
            with farm.store.transaction(farm.clock()) as tx:
                entries = [entry for each in some if (entry := store.get(each)) is not None]
                leaving = [entry for entry in entries if entry.by_nodes and _is_left_over(farm, tx, entry)]
                for entry in leaving:
                    store.forget(entry.sha256)
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
    if maker is not None and not _head(tx, maker).status.final:
        return False
    known = tx.referring_to(entry.sha256)
    if handing.readers(farm, tx, entry.sha256):
        return False
    if not known:
        return maker is not None and maker.stage in _BETWEEN
    return all(_head(tx, job).status.final and _hands_on(tx, job, entry.sha256) for job in known)


def _hands_on(tx: Transaction, job: Job, sha256: str) -> bool:
    """Whether the file is nothing to `job` but what goes to and fro in its family."""
    name = f"{FILE}{sha256}"
    kinds = {each.kind for each in job.findings.artifacts if each.location == name}
    if kinds - {ArtifactKind.INTERMEDIATE}:
        return False
    return job.input != name or (job.parent_id is not None and _head(tx, job).input != name)


def _head(tx: Transaction, job: Job) -> Job:
    while job.parent_id is not None and (parent := tx.job(job.parent_id)) is not None:
        job = parent
    return job
