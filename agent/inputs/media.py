"""Opens a file below a media root, and nothing else whatever its name or the links on its way.

The file is opened first as a mere place (O_PATH), which a pipe or device does not notice; what is
regular is then opened again by its descriptor.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from agent.beneath import RootError, open_beneath, open_root
from agent.inputs.rules import InputFailedError
from common.inputs import MediaFile


def open_media(file: MediaFile, root: Path) -> int:
    """A descriptor of the file, to read; the caller closes it.

    `input_missing`, `input_refused` or `input_invalid` if there is no such file to read. OSError if
    the root itself cannot be opened, or the kernel is older than 5.6.
    """
    name = f"'{file.path}' below the media root {file.root!r}"
    try:
        place = _open_below(root, file.name)
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
    os.close(_open_below(root, b"."))


def _open_below(root: Path, path: bytes) -> int:
    base = open_root(root)
    try:
        return open_beneath(base, path)
    finally:
        os.close(base)


def _refusal(error: OSError, name: str) -> Exception:
    if isinstance(error, RootError):
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
