"""`ffrtmp status`: the farm on one screen, and what needs somebody."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from common.client import MasterClient
from common.durations import format_duration
from master.operator import tables
from master.operator.attention import concerns
from master.operator.exits import Exit
from master.operator.formats import Answer, fields
from master.operator.node_names import NodeNames
from master.operator.talk import clear_failures, show

_RUNNING, _FAILED = 10, 5
"""Jobs that are listed."""
_FIELDS = fields(
    "version uptime=uptime_seconds paused slots.used slots.free jobs.pending jobs.paused jobs.running "
    "jobs.completed jobs.failed jobs.canceled nodes.available nodes.busy nodes.draining nodes.quarantined "
    "nodes.offline nodes.unapproved nodes.revoked waiting.high.jobs "
    "waiting.high.oldest=waiting.high.oldest_seconds waiting.medium.jobs "
    "waiting.medium.oldest=waiting.medium.oldest_seconds waiting.low.jobs "
    "waiting.low.oldest=waiting.low.oldest_seconds"
)


@click.command("status")
@click.pass_obj
def status(settings: dict[str, Any]) -> None:
    """How the farm stands, on one screen; exit code 1 if something needs somebody."""
    with clear_failures(settings):
        client: MasterClient = settings["connect"]()
        found = client.status()
        found["attention"] = concerns(found)
        found["running"] = list(islice(client.jobs("running", most=_RUNNING), _RUNNING))
        found["failed"] = list(islice(client.jobs("failed", most=_FAILED, whole=True), _FAILED))
    show(Answer(found, lambda: _show(found, settings["url"], NodeNames(client)), _FIELDS), settings)
    if found["attention"]:
        raise click.exceptions.Exit(Exit.NO)


def _show(found: dict[str, Any], url: str, node: NodeNames) -> None:
    slots = found["slots"]
    uptime = _time(found["uptime"])
    click.echo(f"master   {url}, version {found['version']}, up for {uptime}")
    click.echo(
        f"nodes    {_counts(found['nodes']) or 'none'}; slots: {slots['used']} used, {slots['free']} free"
    )
    click.echo(f"queue    {'paused; ' if found['paused'] else ''}{_waiting(found['waiting'])}")
    parts = found["parts"]
    whole = {status: count - parts[status] for status, count in found["jobs"].items()}
    of_parts = f"; of their parts: {_counts(parts)}" if any(parts.values()) else ""
    click.echo(f"jobs     {_counts(whole) or 'none'}{of_parts}")
    for name, title in (("running", "running"), ("failed", "failed last")):
        if found[name]:
            left = (found["jobs"] if name == "running" else whole)[name] - len(found[name])
            click.echo(f"\n{title}:")
            tables.jobs(found[name], node).show()
            if left > 0:
                click.echo(f"and {left} more: ffrtmp jobs list --status {name}")
    for each in found["attention"]:
        click.echo(f"\n! {tables.safe(each['problem'])}\n  {tables.safe(each['todo'])}")
    if not found["attention"]:
        click.echo("\nNothing needs you.")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _waiting(waiting: dict[str, Any]) -> str:
    parts = [
        f"{each['jobs']} {priority} (the oldest for {_time(each['oldest'] or 0.0)})"
        for priority, each in waiting.items()
        if each["jobs"]
    ]
    return f"waiting: {', '.join(parts)}" if parts else "nothing waits"


def _time(seconds: float) -> str:
    return format_duration(max(1, round(seconds)))
