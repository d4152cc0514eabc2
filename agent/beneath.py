"""Opens and renames what is below a directory, and nothing else whatever names and links say.

The kernel resolves a whole path at once and lets no step leave the directory (openat2(2) with
RESOLVE_BENEATH), so there is no moment between a check and its use. renameat2(2) says whether a name
may be taken from somebody else.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from pathlib import Path

_OPENAT2 = 437
"""The number of the system call, on every architecture."""
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_TRIES = 16
"""How often a path is resolved again while somebody renames directories on it (EAGAIN)."""
_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2
_CANNOT = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
"""What renameat2(2) fails with where the file system (NFS, some in user space) knows no such flag."""

_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    """`struct open_how` of openat2(2)."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class RootError(OSError):
    """The directory itself cannot be used at all: that is the node's fault, not the job's."""


class CannotExchangeError(OSError):
    """The file system cannot exchange two names in one step."""


def open_root(root: Path) -> int:
    """A descriptor (O_PATH) of the directory; the caller closes it. `RootError`."""
    try:
        return os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise RootError(error.errno, f"{error.strerror}; is its disk mounted?", str(root)) from error


def open_beneath(base: int, path: bytes, flags: int = os.O_PATH, *, links: bool = True) -> int:
    """A descriptor of what is at `path` below the open directory `base`; the caller closes it.

    Symbolic links are followed as long as they stay below it; with `links` false none is. OSError: EXDEV if
    one leads out. `RootError` if the kernel is older than 5.6.
    """
    resolve = _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS | (0 if links else _RESOLVE_NO_SYMLINKS)
    how = _How(flags | os.O_CLOEXEC, 0, resolve)
    for _ in range(_TRIES):
        opened: int = _libc.syscall(_OPENAT2, base, path, ctypes.byref(how), ctypes.sizeof(how))
        if opened >= 0:
            return opened
        number = ctypes.get_errno()
        if number != errno.EAGAIN:
            break
    if number in (errno.ENOSYS, errno.EPERM):
        raise RootError(number, "the kernel has no openat2; media roots need Linux 5.6")
    raise OSError(number, os.strerror(number), path)


def rename_new(from_: int, old: bytes, into: int, new: bytes) -> None:
    """Name what is `old` in the directory `from_` `new` in `into`; FileExistsError if that is taken.

    There is no moment in which somebody else's file could be replaced.
    """
    try:
        _renameat2(from_, old, into, new, _RENAME_NOREPLACE)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        if stat.S_ISDIR(os.stat(old, dir_fd=from_, follow_symlinks=False).st_mode):
            os.rename(old, new, src_dir_fd=from_, dst_dir_fd=into)  # it can replace an empty directory only
        else:
            os.link(old, new, src_dir_fd=from_, dst_dir_fd=into, follow_symlinks=False)
            os.unlink(old, dir_fd=from_)


def exchange(directory: int, one: bytes, other: bytes) -> None:
    """Each of the two in the open `directory` gets the other's name, at once. `CannotExchangeError`."""
    try:
        _renameat2(directory, one, directory, other, _RENAME_EXCHANGE)
    except OSError as error:
        if error.errno in _CANNOT:
            raise CannotExchangeError(error.errno, "its file system cannot exchange two names") from error
        raise


def _renameat2(from_: int, old: bytes, into: int, new: bytes, flags: int) -> None:
    if _libc.renameat2(from_, old, into, new, flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), new)
