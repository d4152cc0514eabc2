"""`ffrtmp results` and `ffrtmp scenarios`: what came of jobs, and what can be encoded."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from common.client import MasterClient
from master.operator import details, ids, tables
from master.operator.exits import UnknownError
from master.operator.node_names import NodeNames
from master.operator.talk import talks


@click.command("results")
@click.argument("job_id", required=False)
@click.option("--parts", is_flag=True, help="Also of the parts of divided jobs.")
@click.option("--limit", type=click.IntRange(1), default=50, help="How many at most.")
@click.option(
    "--archive", is_flag=True, help="Of jobs that were finished longer ago than the master's --retention."
)
@talks
def results(client: MasterClient, job_id: str | None, parts: bool, limit: int, archive: bool) -> Any:
    """What came of finished jobs, or of one."""
    if archive and job_id is not None:
        archived = next(client.archived_results(job_id), None)
        if archived is None:
            raise UnknownError(f"there is no job {job_id!r} in the archive")
        return details.result(archived, NodeNames(client))
    if archive:
        archived_ones = client.archived_results(whole=not parts)
        return tables.results(islice(archived_ones, limit), "Nothing is archived yet.")
    if job_id is not None:
        return details.result(client.result(ids.job_id(client, job_id)), NodeNames(client))
    return tables.results(islice(client.results(limit, whole=not parts), limit))


@click.command("scenarios")
@talks
def scenarios(client: MasterClient) -> Any:
    """What can be encoded."""
    return tables.scenarios(client.scenarios())
