"""Where the output of a job may go, and which node can put it there: the one grammar, pure.

files                          the master's file store
media:finished/2024/a day.mp4  a file (or a directory) below a media root that nodes write to
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from common.inputs import InputError, MediaFile, parse_input


@dataclass(frozen=True, slots=True)
class FileStore:
    """The master's file store: each file is known by its SHA-256 there."""

    @property
    def place(self) -> None:
        """Every node can put files there."""
        return


def parse_output(text: str) -> MediaFile | FileStore:
    """The place that `text` names; `InputError` if it names none that we take."""
    if text == "files":
        return FileStore()
    if text.startswith("media:"):
        file = parse_input(text)
        assert isinstance(file, MediaFile)  # noqa: S101 - that is what media: means
        return file
    raise InputError("write files for the master's file store, or media:ROOT/PATH")


def writable(place: str, output_roots: Iterable[str] | None) -> bool:
    """Whether a node that writes to these roots can put outputs at `place`; None: it does not say."""
    return place.removeprefix("media:") in (output_roots or ())
