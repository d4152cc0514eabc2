"""`ffrtmp audit`: who did what, when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

import click

from common.client import MasterClient
from common.clock import system_clock
from common.options import DURATION
from common.timestamps import timestamp
from master.operator import tables
from master.operator.talk import talks

_PAGE = 1000


@click.command()
@click.option("--by", help="Only of this actor: operator, node:ID, the name of a token, or master.")
@click.option("--event", help="Only these, such as job_canceled.")
@click.option("--job", "job_id", metavar="ID", help="Only what happened to this job.")
@click.option("--node", "node_id", metavar="ID", help="Only what this node has to do with.")
@click.option("--since", type=DURATION, help="Only of the last 24h, 30d, …")
@click.option("--limit", type=click.IntRange(1), default=50, help="How many at most.")
@talks
def audit(client: MasterClient, since: float | None, limit: int, **values: str | None) -> Any:
    """Who did what, when: the newest first."""
    wanted = {name: value for name, value in values.items() if value is not None}
    if since is not None:
        wanted["since"] = _ago(since)
    wanted["limit"] = str(min(limit, _PAGE))
    return tables.audit(islice(_entries(client, wanted), limit))


def _entries(client: MasterClient, wanted: dict[str, str]) -> Iterator[dict[str, Any]]:
    told = set()
    for page in client.audit(wanted):
        for damaged in page["damaged"]:
            if damaged not in told:
                click.echo(f"Entries are missing: {damaged}", err=True)
                told.add(damaged)
        yield from page["entries"]


def _ago(seconds: float) -> str:
    try:
        return str(timestamp(system_clock().wall - timedelta(seconds=seconds)))
    except OverflowError as error:
        raise click.BadParameter("is longer than there are years", param_hint="--since") from error
