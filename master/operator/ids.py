"""Ids as people type them: the beginning of one is enough, and a node may be called by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from master.operator.exits import UnknownError
from master.operator.formats import Document, safe

if TYPE_CHECKING:
    from common.client import MasterClient

SHORTEST = 4
"""Characters of an id that are enough, if they are one's alone."""
_SHOWN = 10
_BEGINNING = re.compile(r"[0-9a-f-]{4,35}", re.ASCII)


def job_id(client: MasterClient, typed: str) -> str:
    """The one job whose id begins so; what was typed if there is none, for the master to answer.

    Jobs of the archive are found by their whole ids only.
    """
    _not_empty(typed)
    if not _BEGINNING.fullmatch(typed):
        return typed
    found = list(islice(client.jobs_beginning(typed), _SHOWN + 1))
    described = [f"{job['id']}  {job['scenario']}  {job['status']}" for job in found]
    return _one(typed, [job["id"] for job in found], described, "jobs")


def node_id(client: MasterClient, typed: str) -> str:
    """The one node with that id or name, or whose id begins so; what was typed if there is none."""
    return full_id(typed, client.nodes(), "nodes", called="address")


def full_id(
    typed: str, documents: Iterable[dict[str, Any]], what: str = "of them", called: str | None = None
) -> str:
    """The one id that is `typed`, or that begins so; what was typed if there is none.

    `called`: the field with what people call one, which counts as well if it is one's alone.
    """
    _not_empty(typed)
    known = list(documents)
    if any(each["id"] == typed for each in known):
        return typed
    found = [each for each in known if called is not None and each[called] == typed]
    if not found and len(typed) >= SHORTEST:
        found = [each for each in known if each["id"].startswith(typed)]
    described = [_described(each) for each in found]
    return _one(typed, [each["id"] for each in found], described, what)


def _described(document: Document) -> str:
    texts = (document.get(name) for name in ("id", "address", "name", "status"))
    return "  ".join(str(text) for text in texts if text)


def _not_empty(typed: str) -> None:
    if not typed:
        raise click.BadParameter("an id is empty; is a variable unset?")


def _one(typed: str, ids: Sequence[str], described: Sequence[str], what: str) -> str:
    if len(ids) <= 1:
        return ids[0] if ids else typed
    listed = "".join(f"\n  {safe(each)}" for each in described[:_SHOWN])
    more = "\n  …" if len(ids) > _SHOWN else ""
    raise UnknownError(f"{typed} may be several {what}; write more of the id:{listed}{more}")
