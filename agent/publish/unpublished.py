"""What an attempt has beside its place is noted before, so that it goes also after a kill -9."""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from agent.beneath import open_beneath, open_root
from agent.publish.bring import remove
from agent.publish.rules import OutputRules
from agent.workspace import owner
from common.inputs import InputError, parse_media

log = logging.getLogger(__name__)

_NOTE = "publishing"
"""The note's name in the attempt's directory."""
_MAX_SIZE = 64 * 1024
_TEMPORARY = re.compile(r"\.ffrtmp-[A-Za-z0-9._-]{1,24}\.part", re.ASCII)


def temporary_name(node_id: str, lease_id: str) -> str:
    """What an output is called beside its place until it is whole. Short, whatever its own name is."""
    return f".ffrtmp-{owner(node_id)}-{lease_id[:8]}.part"


def note(directory: Path, output: str, name: str) -> None:
    """Note in the attempt's directory that `name` will be beside the place `output`, before it is made."""
    path = directory / _NOTE
    with suppress(FileNotFoundError):
        path.unlink()  # whatever an ffmpeg that was taken over has put there
    with path.open("x", encoding="utf-8") as file:
        json.dump({"output": output, "name": name}, file)
        file.flush()
        os.fsync(file.fileno())


def remove_unpublished(work_dir: Path, node_id: str, rules: OutputRules) -> None:
    """Remove what this node's agent had beside their places when it died. None of its attempts may run."""
    mine = owner(node_id)
    for path in work_dir.glob(f"*/{mine}-*.part/{_NOTE}"):
        output, name = _read(path)
        if not (_TEMPORARY.fullmatch(name) and name.startswith(f".ffrtmp-{mine}-")):
            continue  # it was not we who wrote that
        try:
            file = parse_media(output)
            base = open_root(rules.roots[file.root])
            try:
                parent = file.name.rpartition(b"/")[0]
                directory = open_beneath(base, parent or b".", os.O_RDONLY | os.O_DIRECTORY)
            finally:
                os.close(base)
        except (InputError, KeyError, OSError) as error:
            log.warning("Cannot look for what is left of %s: %s", output, error)
            continue
        try:
            remove(directory, os.fsencode(name))
        finally:
            os.close(directory)


def _read(path: Path) -> tuple[str, str]:
    """The place and the name of a note; two empty texts if it is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return "", ""
            content = json.loads(file.read(_MAX_SIZE))
        return str(content["output"]), str(content["name"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return "", ""
