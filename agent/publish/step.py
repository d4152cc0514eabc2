"""The last step of a job: what it made gets its name where it is wanted, whole and hashed, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from agent.produced import Produced
from agent.publish.bring import Whole, bring, remove
from agent.publish.finished import Finished, finish
from agent.publish.place import COMPANIONS, Place, label, media_place, nearest, root_of
from agent.publish.rules import OutputFailedError, refusal
from agent.publish.settle import Inode, Wish, check, inode, settle
from agent.publish.store import store, way_to_store
from agent.publish.unpublished import note, temporary_name
from agent.task import AbortedError, Task
from common import paths
from common.inputs import MediaFile
from common.model import Artifact
from common.outputs import FileStore, parse_output

_PAUSE = 0.2
"""Seconds between looks at whether the lease holds."""


@dataclass(frozen=True, slots=True)
class Published:
    """What became of what a job made."""

    artifacts: tuple[Artifact, ...]
    path: str | None
    """Of the main file on this node, as `common.paths` spells it; None: it is not kept here."""


def prepare(task: Task, *, pieces: bool, given: int | None) -> None:
    """Fails an output that cannot be written before anything is encoded for it: `OutputFailedError`.

    `pieces`: it will be a directory; `given`: the open input. That nothing is said is no promise.
    """
    wanted = _wanted(task)
    if isinstance(wanted, FileStore):
        way_to_store(task)
    elif wanted is not None:
        first = task.assignment.attempt == 1  # what is there may else be of an attempt whose report was lost
        root = root_of(wanted, task.tools.outputs)
        with _refusing(label(wanted)), nearest(wanted, root) as (directory, whole):
            if not os.access(f"/proc/self/fd/{directory}", os.W_OK | os.X_OK):
                raise _no_right(directory)
            if whole and first:
                place = Place(directory, wanted.name.rpartition(b"/")[2], label(wanted))
                check(Whole((), task.assignment.job_id, pieces), place, _wish(task, given))


def publish(task: Task, files: Sequence[Produced], *, pieces: bool, given: int | None) -> Published:
    """Hash the `files` (the main one first) of the attempt's directory, and put them where they are wanted.

    `pieces`: they are one directory; else the further ones go to a directory beside the main one.
    `OutputFailedError`, `AbortedError`; OSError if the node is at fault.
    """
    wanted = _wanted(task)
    source = os.open(task.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        finished = finish(source, files, task.tools.abort)
        _until_allowed(task)
        if isinstance(wanted, FileStore):
            return Published(tuple(_stored(task, file) for file in finished), None)
        if wanted is not None:
            wish, name = _wish(task, given), label(wanted)
            with _refusing(name), media_place(wanted, root_of(wanted, task.tools.outputs)) as place:
                _put(task, finished, source, place, wish, pieces=pieces)
            return Published(tuple(_placed(wanted, finished, pieces=pieces)), None)
        return _kept(task, finished, source, pieces=pieces)
    finally:
        os.close(source)


def _wanted(task: Task) -> MediaFile | FileStore | None:
    if task.assignment.output is None:
        return None
    wanted = parse_output(task.assignment.output)
    if isinstance(wanted, MediaFile | FileStore):
        return wanted
    raise OutputFailedError("output_refused", "a file cannot be put to a live stream")


def _wish(task: Task, given: int | None) -> Wish:
    source: Inode | None = None if given is None else inode(os.fstat(given))
    return Wish(task.assignment.parameters.get("overwrite") is True, source)


def _until_allowed(task: Task) -> None:
    """Another attempt may have begun while the lease is not known to hold: what we have waits."""
    while not task.tools.may_work():
        task.tools.abort.wait(_PAUSE)
        if task.tools.abort.is_set():
            break
    if task.tools.abort.is_set():
        raise AbortedError


def _put(
    task: Task, finished: Sequence[Finished], source: int, place: Place, wish: Wish, *, pieces: bool
) -> None:
    job_id = task.assignment.job_id
    if pieces:
        _one(task, Whole(finished, job_id, is_directory=True), source, place, wish)
        return
    main, *others = finished
    whole = Whole((main,), job_id, is_directory=False)
    check(whole, place, wish)
    beside = place.beside(COMPANIONS)
    if others:  # first, so that all is there once the main file is
        _one(task, Whole(others, job_id, is_directory=True), source, beside, wish)
    try:
        _one(task, whole, source, place, wish)
    except BaseException:
        if others:
            remove(beside.directory, beside.name)
        raise


def _one(task: Task, whole: Whole, source: int, place: Place, wish: Wish) -> None:
    temporary = temporary_name(task.node_id, task.assignment.lease_id)
    if task.assignment.output is not None:
        note(task.directory, task.assignment.output, temporary)
    name = os.fsencode(temporary)
    remove(place.directory, name)
    bring(whole, source, place.directory, name, task.tools.abort)
    try:
        _until_allowed(task)
        settle(whole, place, name, wish)
    except BaseException:
        remove(place.directory, name)
        raise


def _kept(task: Task, finished: Sequence[Finished], source: int, *, pieces: bool) -> Published:
    """In the job's own directory, in place of what an earlier attempt left there."""
    main = finished[0].produced.name
    directory = os.open(task.job_directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    name = task.assignment.scenario if pieces else main
    try:
        place = Place(directory, os.fsencode(name), f"{name!r} in the job's directory")
        _put(task, finished, source, place, Wish(overwrite=True, source=None), pieces=pieces)
    finally:
        os.close(directory)
    whole = task.job_directory / name
    path = paths.to_text(os.fsencode(whole / main if pieces else whole))
    return Published(tuple(_artifact(file, None) for file in finished), path)


def _placed(wanted: MediaFile, finished: Sequence[Finished], *, pieces: bool) -> Iterator[Artifact]:
    for position, file in enumerate(finished):
        if pieces:
            below = wanted.name + b"/" + file.name
        else:
            below = wanted.name + COMPANIONS + b"/" + file.name if position else wanted.name
        yield _artifact(file, str(replace(wanted, path=paths.to_text(below))))


def _stored(task: Task, file: Finished) -> Artifact:
    sha256 = store(task, task.directory / file.produced.name, file.produced.media_type)
    if sha256 != file.sha256:
        raise OutputFailedError(
            "output_invalid", f"the file store has {sha256} for {file.produced.name}, and not {file.sha256}"
        )
    return _artifact(file, f"file:{sha256}")


def _artifact(file: Finished, location: str | None) -> Artifact:
    made = file.produced
    return Artifact(made.name, made.kind, made.media_type, file.size, file.sha256, location)


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """What the system says against a place, in the words of a failure."""
    try:
        yield
    except OSError as error:
        raise refusal(error, name) from error


def _no_right(directory: int) -> OSError:
    """Why nothing can be made in the open directory."""
    with suppress(OSError):
        if os.fstatvfs(directory).f_flag & os.ST_RDONLY:
            return OSError(errno.EROFS, os.strerror(errno.EROFS))
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES))
