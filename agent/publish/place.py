"""Where one output goes: a name in an open directory, which no link leads away from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent.beneath import open_beneath, open_root
from agent.publish.rules import OutputFailedError, OutputRules
from common.inputs import MediaFile

COMPANIONS = b".files"
"""What the directory of an output's further files has behind the output's own name."""
_READABLE = os.O_RDONLY | os.O_DIRECTORY


@dataclass(frozen=True, slots=True)
class Place:
    """A name that an output is to have."""

    directory: int
    """Open, to read."""
    name: bytes
    label: str
    """What sentences call it."""

    def beside(self, suffix: bytes) -> Place:
        """The place of what belongs to it."""
        return Place(self.directory, self.name + suffix, self.label)


def label(file: MediaFile) -> str:
    """What sentences call a place below a media root."""
    return f"'{file.path}' below the media root {file.root!r}"


def root_of(file: MediaFile, rules: OutputRules) -> Path:
    """The root's directory; `output_refused` if this node declares none of that name."""
    root = rules.roots.get(file.root)
    if root is None:
        raise OutputFailedError("output_refused", f"this node writes to no media root {file.root!r}")
    return root


@contextmanager
def media_place(file: MediaFile, root: Path) -> Iterator[Place]:
    """The place, with the directories on its way made; those that stay empty are removed at the end.

    OSError if it cannot be reached: EXDEV if a link leads out of the root.
    """
    parent, _, name = file.name.rpartition(b"/")
    with ExitStack() as stack:
        base = open_root(root)
        stack.callback(os.close, base)
        directory = open_beneath(base, b".", _READABLE)
        stack.callback(os.close, directory)
        path = b""
        for step in parent.split(b"/") if parent else ():
            path = path + b"/" + step if path else step
            inner, made = _step(base, directory, path, step)
            stack.callback(os.close, inner)
            if made:
                stack.callback(_remove_if_empty, directory, step)
            directory = inner
        yield Place(directory, name, label(file))


@contextmanager
def nearest(file: MediaFile, root: Path) -> Iterator[tuple[int, bool]]:
    """The last directory on the way to the place that is there, open, and whether it is the place's own."""
    parent = file.name.rpartition(b"/")[0]
    with ExitStack() as stack:
        base = open_root(root)
        stack.callback(os.close, base)
        directory, whole = open_beneath(base, b".", _READABLE), True
        stack.callback(os.close, directory)
        path = b""
        for step in parent.split(b"/") if parent else ():
            path = path + b"/" + step if path else step
            try:
                directory = open_beneath(base, path, _READABLE)
            except FileNotFoundError:
                whole = False
                break
            stack.callback(os.close, directory)
        yield directory, whole


def _step(base: int, directory: int, path: bytes, name: bytes) -> tuple[int, bool]:
    """The next directory on the way, open, and whether it was made just now."""
    try:
        return open_beneath(base, path, _READABLE), False
    except FileNotFoundError:
        pass
    made = True
    try:
        os.mkdir(name, dir_fd=directory)
    except FileExistsError:  # by another job, this very moment; or it is a link to nothing
        made = False
    os.fsync(directory)
    return open_beneath(base, path, _READABLE), made


def _remove_if_empty(directory: int, name: bytes) -> None:
    with suppress(OSError):
        os.rmdir(name, dir_fd=directory)
