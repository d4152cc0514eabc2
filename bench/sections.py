"""Which files measure, and under which heading of docs/performance.md. Who measures more adds a line here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from bench.rig import Row


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document."""

    heading: str
    module: str
    """It has `rows(quick: bool) -> list[Row]`."""
    text: str


SECTIONS: tuple[Section, ...] = (
    Section(
        "The server",
        "bench.serving",
        "Our worker class beside gunicorn's own threaded worker (`gthread`, 8 threads), with the same "
        "application, the same certificate, TLS 1.3 and connections that stay open.",
    ),
    Section(
        "The worker in detail",
        "bench.worker_rows",
        "What the worker class does, one thing at a time.",
    ),
    Section(
        "One master",
        "bench.durable",
        "A real master with its journal on a disk: what is answered is synced.",
    ),
    Section(
        "Agents that wait",
        "bench.waiting_rows",
        "A thousand agents have asked for a job and wait for the answer.",
    ),
    Section("Cycles", "bench.cycles", "Jobs that are submitted, claimed and finished, alone and in batches."),
    Section(
        "Several masters",
        "bench.masters",
        "The records in a PostgreSQL that is synced, and masters beside it ([how to](scaling.md)).",
    ),
    Section("A million jobs", "bench.at_scale", "The same work with few and with many jobs or nodes."),
    Section(
        "Job queues",
        "bench.peers",
        "General job queues for Python on the same machine, one worker each, with jobs that do nothing.",
    ),
    Section(
        "What an agent costs",
        "bench.overhead",
        "Encodes through a master and agents, beside the same commands without them.",
    ),
)


def gathered(section: Section, quick: bool) -> Sequence[Row]:
    """The section's rows; none while its file is not there."""
    if find_spec(section.module) is None:
        return []
    rows: Sequence[Row] = import_module(section.module).rows(quick)
    return rows


def every_row(quick: bool) -> list[Row]:
    """Of all sections. ValueError if two have the same key."""
    rows = [row for section in SECTIONS for row in gathered(section, quick)]
    keys = [row.key for row in rows]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(f"rows with the same key: {', '.join(twice)}")
    return rows
