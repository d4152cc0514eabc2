"""The format of journal and snapshot: the one that is written, and how older ones are read.

A snapshot says its format in its header, a journal segment in its first frame, the stamp.
A segment without a stamp is of format 1, which had none. An older program refuses a newer
format; a newer program migrates an older one while it reads. Only the current format is ever
written: each start begins a new segment, and each fold a new snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from common.version import VERSION

FORMAT = 6
"""Raised, with a migration, when the program before could not read what is written now."""

Document = dict[str, Any]
"""An event (its class is in `event`) or a record (its class is in `record`) as JSON.

`JobSubmitted` and `NodeRegistered` have a whole record in `job` or `node`, without its class.
"""


def _from_1(document: Document) -> Document:
    """Format 2 brought stamps and new events; whatever it added to the old ones has a default."""
    return document


def _from_2(document: Document) -> Document:
    """Format 3 says who brought events about (beside them); what it added to records has a default."""
    return document


def _from_3(document: Document) -> Document:
    """Format 4 brought outputs, findings and families of jobs; all of it has a default."""
    return document


def _from_4(document: Document) -> Document:
    """Format 5 brought webhooks, ids of requests to jobs, and failed trials to nodes; they have defaults."""
    return document


def _from_5(document: Document) -> Document:
    """Format 6 brought chunks, and jobs that depend on others; all of it has a default."""
    return document


MIGRATIONS: dict[int, Callable[[Document], Document]] = {
    1: _from_1,
    2: _from_2,
    3: _from_3,
    4: _from_4,
    5: _from_5,
}
"""By format: what turns a document of it into one of the next."""


def migrate(document: Document, written: int) -> Document:
    """The document of today's format that stands for one of format `written`."""
    for step in range(written, FORMAT):
        document = MIGRATIONS[step](document)
    return document


def stamp(**more: Any) -> bytes:
    """The JSON that says in which format, and by which program, what follows is written."""
    return json.dumps({"format": FORMAT, "program": VERSION, **more}).encode()


def refusal(stamped: Document) -> str | None:
    """Why this program cannot read what is stamped like this, and what to do; None if it can."""
    written, program = stamped.get("format"), stamped.get("program", "unknown")
    if isinstance(written, int) and 1 <= written <= FORMAT:
        return None
    return (
        f"has format {written}, written by version {program}; this is version {VERSION} and reads formats "
        f"up to {FORMAT}; start the newer version again, or restore a backup made before the upgrade"
    )
