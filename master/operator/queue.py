"""`ffrtmp queue`: the queue as a whole."""

from __future__ import annotations

from typing import Any

import click

from common.client import MasterClient
from master.operator import tables
from master.operator.talk import talks


@click.group()
def queue() -> None:
    """The queue as a whole."""


@queue.command("show")
@talks
def show(client: MasterClient) -> Any:
    """Whether it is paused, and how many jobs it has."""
    return tables.document(client.queue())


@queue.command("pause")
@talks
def pause(client: MasterClient) -> Any:
    """Give no job to any node until it is resumed; running jobs are left alone."""
    changed = client.change_queue("pause")
    counts = changed["jobs"]
    return tables.said(
        changed,
        f"The queue is paused: {counts['pending']} jobs wait, {counts['running']} are running still.",
    )


@queue.command("resume")
@talks
def resume(client: MasterClient) -> Any:
    """Give jobs to nodes again."""
    changed = client.change_queue("resume")
    return tables.said(changed, f"The queue goes on: {changed['jobs']['pending']} jobs wait.")
