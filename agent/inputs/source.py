"""From the input that a job names to an open file, which is all that ffmpeg gets of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.files import Files
from agent.inputs.fetch import fetch
from agent.inputs.media import open_media, reopen
from agent.inputs.remote import fetch_object
from agent.inputs.rules import InputFailedError, InputRules
from common.inputs import InputError, MediaFile, StoredFile, StoredObject, Url, parse_input


@contextmanager
def open_input(
    text: str, rules: InputRules, unfinished: Path, abort: threading.Event, files: Files | None = None
) -> Iterator[int]:
    """A descriptor of the input, whole and to read only, for as long as the block lasts.

    What is fetched has the name `unfinished` for a moment, and then none: it is gone with the agent,
    however that ends. What is stored at the master comes by `files`.
    `InputFailedError` if the input cannot be had; OSError if the agent cannot work.
    """
    descriptor = _opened(text, rules, unfinished, abort, files)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _opened(
    text: str, rules: InputRules, unfinished: Path, abort: threading.Event, files: Files | None
) -> int:
    try:
        wanted = parse_input(text)
    except InputError as error:  # a master would not have taken it
        raise InputFailedError("input_refused", f"the input cannot be one: {error}") from error
    if isinstance(wanted, Url | StoredObject):
        return _fetched(wanted, rules, unfinished, abort)
    if isinstance(wanted, StoredFile):
        if files is None:
            raise InputFailedError("input_refused", "this agent works without the master's file store")
        return files.open(wanted.sha256, rules.max_size, abort)
    if not isinstance(wanted, MediaFile):  # the runner has these recorded
        raise InputFailedError("input_refused", f"{wanted} is a live stream, and no file")
    return open_media(wanted, _root(wanted, rules))


def _root(file: MediaFile, rules: InputRules) -> Path:
    root = rules.media_roots.get(file.root)
    if root is None:
        raise InputFailedError("input_refused", f"this node declares no media root {file.root!r}")
    return root


def _fetched(wanted: Url | StoredObject, rules: InputRules, unfinished: Path, abort: threading.Event) -> int:
    with unfinished.open("xb") as file:
        unfinished.unlink()
        if isinstance(wanted, Url):
            fetch(wanted, rules, file, abort)
        else:
            fetch_object(wanted, rules, file, abort)
        file.flush()
        return reopen(file.fileno())
