"""Gives an output its name: at once, never over what is somebody else's, and never over its own source."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass

from agent.beneath import CannotExchangeError, exchange, rename_new
from agent.publish import manifest
from agent.publish.bring import Whole, remove
from agent.publish.finished import CHUNK
from agent.publish.place import Place
from agent.publish.rules import OutputFailedError

Inode = tuple[int, int]
"""Device and number: what a file is, whatever its names are."""
_TRIES = 4
"""How often we look again when somebody else changes the place meanwhile."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What may be done to what is at the place already."""

    overwrite: bool
    source: Inode | None
    """The input, which is never touched."""


def inode(about: os.stat_result) -> Inode:
    """What the file is."""
    return about.st_dev, about.st_ino


def settle(whole: Whole, place: Place, temporary: bytes, wish: Wish) -> None:
    """What is `temporary` beside the place gets its name, and what was there, if it may go, is removed.

    `output_exists` if it may not; `output_refused` if it is the job's source. OSError. In these cases
    the temporary name is still there.
    """
    for _ in range(_TRIES):
        try:
            rename_new(place.directory, temporary, place.directory, place.name)
            break
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.EISDIR, errno.ENOTDIR):
                raise
        if _replace(whole, place, temporary, wish):
            break
    else:
        raise OutputFailedError("output_exists", f"{place.label} is being changed all the time")
    os.fsync(place.directory)


def check(whole: Whole, place: Place, wish: Wish) -> os.stat_result | None:
    """What is at the place and may be replaced; None if nothing is there. Else as `settle`."""
    try:
        there = os.stat(place.name, dir_fd=place.directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if wish.source is not None and wish.source in _inodes(place, there):
        raise OutputFailedError(
            "output_refused", f"{place.label} is the input itself, which is never touched"
        )
    if whole.is_directory:
        found = manifest.ours(place.directory, place.name)
        if found is not None and (wish.overwrite or found.job_id == whole.job_id):
            return there
        what = (
            "is there already" if found is not None else "is there already, and is not ours alone to replace"
        )
        raise _exists(place, what, possible=found is not None)
    if not (stat.S_ISREG(there.st_mode) or stat.S_ISLNK(there.st_mode)):
        raise _exists(place, "is there already, and is no file", possible=False)
    if wish.overwrite or _is_own(whole, place):
        return there
    raise _exists(place, "is there already", possible=True)


def _exists(place: Place, what: str, *, possible: bool) -> OutputFailedError:
    advice = "choose another name, or ask to overwrite it" if possible else "choose another name"
    return OutputFailedError("output_exists", f"{place.label} {what}; {advice}")


def _replace(whole: Whole, place: Place, temporary: bytes, wish: Wish) -> bool:
    """Whether what was at the place is replaced; False if it has gone meanwhile."""
    expected = check(whole, place, wish)
    if expected is None:
        return False
    try:
        exchange(place.directory, temporary, place.name)
    except FileNotFoundError:
        return False
    except CannotExchangeError as error:
        if whole.is_directory:
            why = "its file system cannot replace a directory in one step; remove it first"
            raise OutputFailedError("output_refused", f"{place.label} cannot be replaced: {why}") from error
        os.rename(temporary, place.name, src_dir_fd=place.directory, dst_dir_fd=place.directory)
        return True
    gone = os.stat(temporary, dir_fd=place.directory, follow_symlinks=False)
    if inode(gone) != inode(expected):  # it is another one's, who came between: as if nothing had been
        exchange(place.directory, temporary, place.name)
        return False
    remove(place.directory, temporary)
    return True


def _inodes(place: Place, there: os.stat_result) -> set[Inode]:
    """What is at the place: a file, what a link leads to, or each file in a directory."""
    found = {inode(there)}
    with suppress(OSError):
        if stat.S_ISLNK(there.st_mode):
            found.add(inode(os.stat(place.name, dir_fd=place.directory)))
        elif stat.S_ISDIR(there.st_mode):
            descriptor = os.open(
                place.name,
                os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC,
                dir_fd=place.directory,
            )
            try:
                found |= {inode(about) for _, _, about in manifest.walk(descriptor)}
            finally:
                os.close(descriptor)
    return found


def _is_own(whole: Whole, place: Place) -> bool:
    """Whether the file at the place was published by an attempt of this job whose report was lost."""
    if not whole.files:
        return False
    (file,) = whole.files
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(place.name, flags, dir_fd=place.directory)
    except OSError:
        return False
    try:
        about = os.fstat(descriptor)
        if manifest.is_marked(descriptor, whole.job_id):
            return stat.S_ISREG(about.st_mode)
        if not stat.S_ISREG(about.st_mode) or about.st_size != file.size:
            return False
        digest = hashlib.sha256()
        while chunk := os.read(descriptor, CHUNK):
            digest.update(chunk)
        return digest.hexdigest() == file.sha256
    finally:
        os.close(descriptor)
