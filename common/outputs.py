"""Where the output of a job may go, and which node can put it there: the one grammar, pure.

files                          the master's file store
media:finished/2024/a day.mp4  a file (or a directory) below a media root that nodes write to
rtmp://example.com/app/key     a live stream (`common.streams`)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from common.inputs import InputError, MediaFile, parse_media, reaches
from common.streams import Stream, is_stream, parse_stream

FILES = "files"
"""How the master's file store is written."""


@dataclass(frozen=True, slots=True)
class FileStore:
    """The master's file store: each file is known by its SHA-256 there."""

    @property
    def place(self) -> None:
        """Every node can put files there."""
        return


def parse_output(text: str) -> MediaFile | FileStore | Stream:
    """The place that `text` names; `InputError` if it names none that we take."""
    if text == FILES:
        return FileStore()
    if text.startswith("media:"):
        return parse_media(text)
    if is_stream(text):
        return parse_stream(text)
    raise InputError("write files for the master's file store, media:ROOT/PATH, or rtmp://HOST/APP/KEY")


def writable(place: str, output_roots: Iterable[str] | None, output_hosts: Iterable[str] | None) -> bool:
    """Whether a node that writes to these roots and streams to these hosts can put outputs at `place`.

    None: it does not say, and can not.
    """
    if not place.startswith("media:"):
        return reaches(place, output_hosts)
    return place.removeprefix("media:") in (output_roots or ())


def below(text: str, name: str) -> str:
    """The output of a part of what goes to `text`: a directory of its own there, where there are any."""
    return f"{text}/{name}" if text.startswith("media:") else text
