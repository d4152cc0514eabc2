"""The commands that go on until something is finished: `jobs watch`, `jobs logs --follow`, and `--wait`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import click

from common.client import MasterClient
from master.operator import ids
from master.operator.formats import Answer, Document, safe
from master.operator.talk import talks

WAIT = click.option(
    "--wait",
    is_flag=True,
    help="Show how far it is until it is finished; exit code 1 if it is not completed then. Ctrl-C leaves it "
    "running.",
)
"""The option of commands that queue jobs."""


def submitted(client: MasterClient, jobs: Sequence[Document]) -> NoReturn:
    """Prints the ids of new jobs, waits until they are finished, and ends the command."""
    from master.operator.live.waiting import wait  # the bars of rich

    settings = click.get_current_context().obj
    if settings["output"] == "table":
        for job in jobs:
            click.echo(job["id"])
    wait(client, settings, [job["id"] for job in jobs], jobs)


@click.command("watch")
@click.argument("job_ids", nargs=-1, metavar="[ID]...")
@talks
def watch_jobs(client: MasterClient, job_ids: tuple[str, ...]) -> None:
    """Show how far jobs are, until they are finished; without IDs whatever runs, until Ctrl-C.

    Into a pipe goes a line for each change.
    """
    from master.operator.live.waiting import wait, watch_running

    if not job_ids:
        watch_running(client)
    whole = [ids.job_id(client, typed) for typed in job_ids]
    known = {job_id: client.job(job_id) for job_id in dict.fromkeys(whole)}
    wait(client, click.get_current_context().obj, list(known), list(known.values()))


@click.command("logs")
@click.argument("job_id")
@click.option(
    "-f", "--follow", "goes_on", is_flag=True, help="Go on with what is logged, until it is finished."
)
@talks
def job_logs(client: MasterClient, job_id: str, goes_on: bool) -> Any:
    """What ffmpeg and the agent said."""
    job_id = ids.job_id(client, job_id)
    if not goes_on:
        lines = client.logs(job_id)
        return Answer({"job_id": job_id, "lines": lines}, lambda: click.echo("\n".join(lines)))
    from master.operator.live.following import follow

    client.job(job_id)  # if there is none, that is said
    for line in follow(client, job_id):
        click.echo(safe(line))
    return None
