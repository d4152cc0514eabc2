"""Opens a file below a media root, and nothing else whatever its name or the links on its way.

The kernel resolves the whole path at once and lets no step leave the root (openat2(2) with
RESOLVE_BENEATH), so there is no moment between a check and its use. The file is opened first
as a mere place (O_PATH), which a pipe or device does not notice; what is regular is then
opened again by its descriptor.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from pathlib import Path

from agent.inputs.rules import InputFailedError
from common.inputs import MediaFile

_OPENAT2 = 437
"""The number of the system call, on every architecture."""
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_BENEATH = 0x08
_TRIES = 16
"""How often a path is resolved again while somebody renames directories on it (EAGAIN)."""

_syscall = ctypes.CDLL(None, use_errno=True).syscall


class _How(ctypes.Structure):
    """`struct open_how` of openat2(2)."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_media(file: MediaFile, root: Path) -> int:
    """A descriptor of the file, to read; the caller closes it.

    `input_missing`, `input_refused` or `input_invalid` if there is no such file to read. OSError if
    the root itself cannot be opened, or the kernel is older than 5.6.
    """
    name = f"{file.path!r} below the media root {file.root!r}"
    try:
        place = _open_beneath(root, file.path)
    except OSError as error:
        raise _refusal(error, name) from error
    try:
        about = os.fstat(place)
        if not stat.S_ISREG(about.st_mode):
            raise InputFailedError("input_refused", f"{name} is no regular file")
        if about.st_size == 0:
            raise InputFailedError("input_invalid", f"{name} is empty")
        return reopen(place)
    except PermissionError as error:
        raise InputFailedError("input_refused", f"the agent has no right to read {name}") from error
    finally:
        os.close(place)


def reopen(descriptor: int) -> int:
    """The same file opened anew to read, from its beginning."""
    return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)


def check_root(root: Path) -> None:
    """OSError unless files below `root` can be opened."""
    os.close(_open_beneath(root, "."))


def _open_beneath(root: Path, path: str) -> int:
    try:
        base = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _RootError(error.errno, f"{error.strerror}; is its disk mounted?", str(root)) from error
    try:
        how = _How(os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)
        for _ in range(_TRIES):
            opened: int = _syscall(_OPENAT2, base, path.encode(), ctypes.byref(how), ctypes.sizeof(how))
            if opened >= 0:
                return opened
            number = ctypes.get_errno()
            if number != errno.EAGAIN:
                break
        if number in (errno.ENOSYS, errno.EPERM):
            raise _RootError(number, "the kernel has no openat2; media roots need Linux 5.6", str(root))
        raise OSError(number, os.strerror(number), path)
    finally:
        os.close(base)


class _RootError(OSError):
    """The root cannot be used at all: that is the node's fault, not the job's."""


def _refusal(error: OSError, name: str) -> Exception:
    if isinstance(error, _RootError):
        return error
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return InputFailedError("input_missing", f"there is no {name}")
        case errno.EXDEV:
            return InputFailedError("input_refused", f"a link leads from {name} out of it")
        case errno.ELOOP:
            return InputFailedError("input_refused", f"the links in {name} lead nowhere")
        case errno.EACCES:
            return InputFailedError("input_refused", f"the agent has no right to read {name}")
        case errno.EAGAIN:
            return InputFailedError("input_missing", f"{name} is being renamed all the time")
    return error
