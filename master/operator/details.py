"""One job or one result in full, for people: what a document has many of is a table."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import click

from common.model import JobStatus
from master.operator import tables
from master.operator.tables import Answer, Column, Document, Naming, number, rate, short

MOST = 20
"""Artifacts that are listed one by one: of more, the pieces of streams and such are counted."""
MOST_NAMED = 20
"""Jobs that one depends on which are named."""
_COUNTED = ("segment", "thumbnail")
_ON_NODES = ("attempts", "parts")
"""Lists of a job of which each entry was on a node."""


def size(count: int) -> str:
    """Bytes for people."""
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def result(content: Document, node: Naming = short) -> Answer:
    """A result. `node`: what people call the node of an id."""
    lists = ("artifacts", "repeats", "probes", "warnings")
    return Answer(content, lambda: _show(_named(content, node), lists))


def job(content: Document, came_of_it: Document | None, node: Naming = short) -> Answer:
    """A job, and for people what came of it too, if it has a result. `node`: what people call a node."""

    def show() -> None:
        named: Document = {
            list_: [_named(each, node) for each in content.get(list_, ())] for list_ in _ON_NODES
        }
        named |= {"depends_on": some(content.get("depends_on") or [])}
        _show(_named(content | named, node), _ON_NODES)
        found = came_of_it or {}
        lists = ("artifacts", "warnings")
        _show({name: found.get(name) for name in lists}, lists)
        if came_of_it is not None:
            click.echo(f"What it measured: ffrtmp results {content['id']}")

    return Answer(content, show)


def some(names: list[str]) -> list[str]:
    """The first of them, and how many more there are."""
    more = len(names) - MOST_NAMED
    return [*names[:MOST_NAMED], f"and {more} more"] if more > 0 else names


def _named(document: Document, node: Naming) -> Document:
    """With the name of its node beside the id."""
    with_name = {}
    for field, value in document.items():
        with_name[field] = value
        if field == "node_id" and value is not None:
            with_name["node"] = node(value)
    return with_name


def summed_up(artifacts: Iterable[Document]) -> list[Document]:
    """What is listed: each of a few; of many, what people look for, and the rest in numbers."""
    made = list(artifacts)
    if len(made) <= MOST:
        return made
    one_by_one = [each for each in made if each["kind"] not in _COUNTED]
    counted = sorted((each for each in made if each["kind"] in _COUNTED), key=lambda each: each["kind"])
    if len(one_by_one) > MOST:
        one_by_one, counted = [], sorted(made, key=lambda each: each["kind"])
    groups = [(kind, list(group)) for kind, group in groupby(counted, lambda each: each["kind"])]
    return one_by_one + [
        {
            "path": f"({len(group)} files)",
            "kind": kind,
            "size": sum(each["size"] for each in group),
            "location": _place(group),
        }
        for kind, group in groups
    ]


def _place(group: list[Document]) -> str | None:
    """Where all of them are, in words; None if they are on the node."""
    places = {(each["location"] or "").partition(":")[0] for each in group}
    return {"file": "file store", "media": "media root"}.get(min(places)) if len(places) == 1 else "see JSON"


_TABLES: dict[str, list[Column]] = {
    "artifacts": [
        ("PATH", lambda a: a["path"]),
        ("KIND", lambda a: a["kind"]),
        ("SIZE", lambda a: size(a["size"])),
        ("LOCATION", lambda a: a["location"] or "on the node"),
    ],
    "attempts": [
        ("ATTEMPT", lambda a: str(a["number"])),
        ("NODE", lambda a: a["node"]),
        ("STARTED", lambda a: a["started_at"]),
        ("ENDED", lambda a: a["ended_at"] or "-"),
        ("OUTCOME", lambda a: a["outcome"] or "-"),
        ("NOTE", lambda a: (a["error"] or {}).get("message") or ""),
    ],
    "parts": [
        ("PART", lambda p: f"{p['part']} (twin)" if p.get("twin_of") else p["part"]),
        ("ID", lambda p: p["id"]),
        ("STATUS", lambda p: p["status"]),
        ("NODE", lambda p: p.get("node", "-")),
    ],
    "repeats": [
        ("SPEED", lambda r: number(r["speed"], "{:.3f}", "x")),
        ("WALL", lambda r: number(r["wall_seconds"], "{:.2f}", " s")),
        ("CPU", lambda r: number(r["cpu_seconds"], "{:.2f}", " s")),
        ("ENERGY", lambda r: number(r.get("energy_joules"), "{:.1f}", " J")),
    ],
    "probes": [
        ("CRF", lambda p: f"{p['crf']:g}"),
        ("VMAF", lambda p: number(p["vmaf"], "{:.2f}")),
        ("BITRATE", lambda p: rate(p["bitrate"])),
        ("OF", lambda p: "the whole file" if p["whole"] else "samples"),
    ],
}


def _count(parts: list[Document]) -> str:
    """How many are completed; a part that is run twice counts once."""
    once = [part["status"] for part in parts if not part.get("twin_of")]
    return f" {once.count(JobStatus.COMPLETED)} of {len(once)} completed"


def _show(content: Document, apart: tuple[str, ...]) -> None:
    """The fields, and then what is in `apart`, each as a table; what is empty is left out."""
    tables.document({name: value for name, value in content.items() if name not in apart}).show()
    for name in apart:
        # Of an older version's result nothing is known of some.
        rows: list[Any] = content.get(name) or []
        if not rows:
            continue
        click.echo(f"{name}:{_count(rows)}" if name == "parts" else f"{name}:")
        if name == "warnings":
            for sentence in rows:
                click.echo(f"  {tables.safe(sentence)}")
        else:
            shown = summed_up(rows) if name == "artifacts" else rows
            tables.table(shown, _TABLES[name], "").show()
