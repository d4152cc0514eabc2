"""The verbs of stored files, and which of them go.

Who names a hash has not shown that he has the content: a submitter sees, and is spared to send, only
what was put in his own name. What somebody else put stays unknown to him until he has sent it all.
A node acts for the job that it holds.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO

from common import problems
from common.inputs import stored_file
from common.model import Artifact, Job, Now, Role
from common.problems import Problem
from master.files import FileEntry, Holding, Upload
from master.files.upload import Announced, check_right
from master.service import handing
from master.service.farm import Farm
from master.service.views import Caller
from master.store.interface import Transaction
from master.store.references import files_of

log = logging.getLogger(__name__)

_FULL = (errno.ENOSPC, errno.EDQUOT)


def begin(farm: Farm, caller: Caller, fields: Mapping[str, Any]) -> Upload | FileEntry:
    """The file, if it is here and the caller may know of it; else an upload to send it by.

    A node must name the job that it sends it for, and `forbidden` if it does not hold it.
    """
    owner = _owner(farm, caller, fields["job_id"])
    announced = Announced(sender=_sender(caller), owner=owner, **fields)
    try:
        known = _known(farm, caller, announced)
        if known is not None:
            return known
        upload = farm.shelf.uploads.begin(announced)
    except OSError as error:
        raise _refused_by_disk(error) from error
    check_right(upload)
    return upload


def _known(farm: Farm, caller: Caller, announced: Announced) -> FileEntry | None:
    """The file, held by the caller too from now on, if it is here and the caller may know of it."""
    store, now = farm.shelf.store, farm.clock()
    with store.changing:
        known = store.get(announced.sha256)
        if known is None:
            return None
        holding = known.held_by(announced.owner)
        if holding is None and caller.role is not Role.OPERATOR:
            return None
        if known.size != announced.size:
            raise problems.invalid_field("size", f"The file of this hash has {known.size} bytes.")
        by_node = caller.role is Role.NODE
        words = holding or Holding(announced.owner, None, None, now.wall, by_node)
        said = replace(
            words,
            name=announced.name or words.name,
            media_type=announced.media_type or words.media_type,
            by_node=by_node,
        )
        return store.hold(known, said, now, announced.job_id)


def send(farm: Farm, caller: Caller, upload_id: str, offset: int, chunk: bytes) -> Upload:
    """Keep the next piece of an upload; see `Uploads.append`."""
    upload = upload_of(farm, caller, upload_id)
    _owner(farm, caller, upload.announced.job_id)  # a node whose lease has ended sends nothing more
    try:
        farm.shelf.uploads.append(upload, offset, chunk)
    except OSError as error:
        raise _refused_by_disk(error) from error
    return upload


def upload_of(farm: Farm, caller: Caller, upload_id: str) -> Upload:
    """The upload, or `unknown_upload`: also if it is somebody else's. `wrong_hash` if it ended so."""
    upload = farm.shelf.uploads.get(upload_id)
    if upload is None or (caller.role is not Role.OPERATOR and upload.announced.sender != _sender(caller)):
        raise problems.UNKNOWN_UPLOAD(
            f"There is no upload {upload_id!r}. It may have ended; POST /files says whether the file is here."
        )
    farm.shelf.uploads.nudge(upload)
    check_right(upload)
    return upload


def abandon(farm: Farm, caller: Caller, upload_id: str) -> None:
    """End an upload; nothing of it stays."""
    farm.shelf.uploads.abandon(upload_of(farm, caller, upload_id))


def page(
    farm: Farm, caller: Caller, prefix: str, after: str | None, limit: int
) -> tuple[list[FileEntry], bool]:
    """Up to `limit` files that the caller may see, and whether there are more.

    Those whose hash begins with `prefix`, behind `after`, in the order of the hashes.
    """
    seen = (entry for entry in farm.shelf.store.index.beginning_with(prefix, after) if _lists(caller, entry))
    found = list(islice(seen, limit + 1))
    return found[:limit], len(found) > limit


def has(farm: Farm, caller: Caller, sha256: str) -> bool:
    """Whether the file is here, as far as the caller may know."""
    entry = farm.shelf.store.get(sha256)
    return entry is not None and _lists(caller, entry)


def content(farm: Farm, caller: Caller, sha256: str) -> tuple[FileEntry, BinaryIO]:
    """A file and its open content, or `unknown_file`: also if it is none of the caller's business."""
    now = farm.clock()
    entry = farm.shelf.store.get(sha256)
    if entry is None or not (_lists(caller, entry) or _works_with(farm, caller, entry, now)):
        raise unknown_file(sha256)
    return entry, _opened(farm, sha256, now)


def artifact(farm: Farm, caller: Caller, job_id: str, path: str) -> tuple[FileEntry, BinaryIO, Artifact]:
    """What a job made, by its path in the result; `unknown_file` if it made none or it is elsewhere.

    A node says what its job made. So that it cannot name what is another's, the file must
    have been put for the job's owner.
    """
    now = farm.clock()
    with farm.store.transaction(now) as tx:
        job = farm.require_job(tx, job_id, caller)
    made = next((each for each in job.findings.artifacts if each.path == path), None)
    if made is None:
        raise problems.UNKNOWN_FILE(
            f"Job {job_id} made no {path!r}. GET /jobs/{job_id}/result lists what it made."
        )
    sha256 = None if made.location is None else stored_file(made.location)
    if sha256 is None:
        where = "on the node" if made.location is None else f"at {made.location}"
        raise problems.UNKNOWN_FILE(f"What job {job_id} made is {where}, and not in the file store.")
    entry = farm.shelf.store.get(sha256)
    if entry is None or (job.owner is not None and entry.held_by(job.owner) is None):
        raise unknown_file(sha256)
    return entry, _opened(farm, sha256, now), made


def _opened(farm: Farm, sha256: str, now: Now) -> BinaryIO:
    try:
        file = farm.shelf.store.open(sha256)
    except FileNotFoundError as error:
        raise unknown_file(sha256) from error
    farm.shelf.store.use(sha256, now)
    return file


def remove(farm: Farm, caller: Caller, sha256: str) -> None:
    """Take a file away; a submitter takes its own holding away, and the file if no other is left.

    `unknown_file`; `file_in_use` while an unfinished job needs it.
    """
    store = farm.shelf.store
    with store.changing:
        entry = store.get(sha256)
        if entry is None or not _lists(caller, entry):
            raise unknown_file(sha256)
        shared = caller.owner is not None and len(entry.holdings) > 1
        with farm.store.transaction(farm.clock()) as tx:
            store.index.seize(sha256)  # nobody comes to need it while this is looked at
            needed = [job for job in tx.referring_to(sha256) if not job.status.final]
            needed += handing.readers(farm, tx, sha256)
            if shared:
                needed = [job for job in needed if job.owner == caller.owner]
            if needed:
                raise problems.FILE_IN_USE(
                    f"Job {needed[0].id} is not finished and needs the file. Cancel it first, or wait.",
                    job_id=needed[0].id,
                )
            if not shared:
                store.index.remove(sha256)
        try:
            if shared:
                store.release(entry, caller.owner)
            else:
                store.erase(sha256)
        except OSError as error:
            raise _refused_by_disk(error) from error
    log.info("%s removed the file %s (%d bytes)", caller.actor.name, sha256, entry.size)


def check_input(farm: Farm, tx: Transaction, job: Job) -> None:
    """`unknown_file` if the job reads a stored file that is not here, or is none of its owner's business.

    To be asked in the transaction that queues the job: from then on the file stays.
    """
    sha256 = None if job.input is None else stored_file(job.input)
    if sha256 is None:
        return
    entry = farm.shelf.store.index.keep(sha256)
    if entry is None or (job.owner is not None and entry.held_by(job.owner) is None):
        raise unknown_file(sha256)
    farm.shelf.store.use(sha256, tx.now)


def let_go(farm: Farm, now: Now) -> int:
    """Remove the files that nothing refers to any more, `--keep-files` after their last use; how many."""
    farm.shelf.uploads.tidy(now)
    store, gone = farm.shelf.store, 0
    for sha256 in store.index.unused(now, farm.config.keep_files / _ROUNDS):
        with store.changing:
            with farm.store.transaction(now) as tx:
                current = seized(farm, sha256)
                if current is None:
                    continue
                if _is_needed(tx, current):
                    store.use(sha256, now)
                    continue
                age = store.index.age(sha256, now)
                if age is None or age <= farm.config.keep_files:
                    continue
                store.index.remove(sha256)
            store.erase(sha256)
        gone += 1
        log.info("the file %s (%d bytes) is removed: nothing refers to it any more", sha256, current.size)
    return gone


def seized(farm: Farm, sha256: str) -> FileEntry | None:
    """A file that may have to go; None if it has gone, or a job that needs it is being queued."""
    try:
        return farm.shelf.store.index.seize(sha256)
    except Problem as problem:
        if problem.type is not problems.UNAVAILABLE:
            raise
        return None


_ROUNDS = 10
"""The part of `--keep-files` (a tenth) in which it is noticed that a file is still referred to."""


def pause(keep: float) -> float:
    """Seconds between two rounds of `let_go`."""
    return min(600.0, keep / _ROUNDS)


def unknown_file(sha256: str) -> Problem:
    """The refusal: it tells nobody whether others have such a file here."""
    return problems.UNKNOWN_FILE(
        f"There is no file {sha256} here, or none of yours. Put it here first: ffrtmp files put FILE."
    )


def _is_needed(tx: Transaction, entry: FileEntry) -> bool:
    """Whether a job in memory refers to the file, or it was put for one that is not finished."""
    job = None if entry.job_id is None else tx.job(entry.job_id)
    if job is not None and not job.status.final:
        return True
    # Looked at later: what a job reports to have made is known when it is final.
    return bool(tx.referring_to(entry.sha256))


def _lists(caller: Caller, entry: FileEntry) -> bool:
    """Whether the caller may know that the file is here."""
    if caller.role is Role.SUBMITTER:
        return entry.held_by(caller.owner) is not None
    return caller.role in (Role.OPERATOR, Role.VIEWER)


def _works_with(farm: Farm, caller: Caller, entry: FileEntry, now: Now) -> bool:
    """Whether the caller is a node that holds a job which reads the file.

    What a job reads that its submitter named was judged then. The rest is what nodes said: what a part made,
    or where the input was put. So that they cannot name what is another's, that must have been put for
    the job's owner.
    """
    if caller.role is not Role.NODE or caller.node_id is None:
        return False
    sha256 = entry.sha256
    with farm.store.transaction(now) as tx:
        for job in tx.held(caller.node_id):
            if _is_given(farm, tx, tx.head(job), sha256):
                return True
            said = any(sha256 in files_of(each) for each in (job, *farm.makers(tx, job)))
            if said and entry.held_by(job.owner) is not None:
                return True
    return False


def _is_given(farm: Farm, tx: Transaction, job: Job, sha256: str) -> bool:
    """Whether whoever submitted the job named the file as its input."""
    named = job.input is not None and stored_file(job.input) == sha256
    return named or handing.reads(farm, tx, job, sha256)


def _owner(farm: Farm, caller: Caller, job_id: str | None) -> str | None:
    """Whom a file belongs to that the caller puts here; `forbidden` for a node that does not hold the job."""
    if caller.role is not Role.NODE or caller.node_id is None:
        return caller.owner
    with farm.store.transaction(farm.clock()) as tx:
        held = next((job for job in tx.held(caller.node_id) if job.id == job_id), None)
    if held is None:
        raise problems.FORBIDDEN(
            "A node may put files for the jobs that it holds, and must name the job (`job_id`)."
        )
    return held.owner


def _sender(caller: Caller) -> str:
    """Who may go on with an upload."""
    return f"{caller.role}:{caller.node_id or caller.owner or ''}"


def _refused_by_disk(error: OSError) -> Problem:
    if error.errno in _FULL:
        return problems.FILES_FULL("The master's disk is full. Make room there, and send it again.")
    return problems.UNAVAILABLE(f"The master's disk does not take this: {error.strerror}. Send it again.")
