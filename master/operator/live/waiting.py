"""Waits for jobs and shows how far they are: `--wait`, and `ffrtmp jobs watch`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Any, NoReturn

import click

from common.client import ApiError, MasterClient
from common.model import JobStatus
from master.operator.exits import Exit
from master.operator.formats import Answer, Document
from master.operator.live.looking import Away, Bell, Jobs, pause
from master.operator.live.showing import Display, display_on, result_line
from master.operator.node_names import NodeNames
from master.operator.records import JOBS
from master.operator.talk import show

_MOST_CANCELS = 10
_MOST_RUNNING = 100


def wait(
    client: MasterClient, settings: dict[str, Any], ids: Sequence[str], known: Sequence[Document] = ()
) -> NoReturn:
    """Waits until all are finished, shows how far they are and what came of them, and ends the command.

    The exit code says whether all are completed. `known`: what was told of them already. People see bars,
    or lines where standard output is no terminal; where a format for programs is asked for, those go to
    standard error, and standard output gets the documents in the end.
    """
    jobs = Jobs(client, ids, known)
    quiet_output = settings["output"] != "table" or settings["quiet"]
    stream = sys.stderr if quiet_output else sys.stdout
    try:
        _until_finished(jobs, Away(), Bell(client), display_on(stream, NodeNames(client, again=True)))
        results = {job["id"]: _result(client, job) for job in jobs.documents}
    except KeyboardInterrupt:
        _say_that_they_go_on(jobs.unfinished)
        raise
    done = jobs.documents

    def for_people() -> None:
        for job in done:
            click.echo(result_line(job, results[job["id"]]))

    show(Answer(done[0] if len(done) == 1 else done, for_people, JOBS), settings)
    completed = all(job["status"] == JobStatus.COMPLETED for job in done)
    raise click.exceptions.Exit(Exit.OK if completed else Exit.NO)


def watch_running(client: MasterClient) -> None:
    """Shows whatever runs, until somebody ends it."""
    away, bell = Away(), Bell(client)
    known: dict[str, Document] = {}
    with display_on(sys.stdout, NodeNames(client, again=True)) as shown:
        while True:
            listed = away.ask(lambda: list(islice(client.jobs("running"), _MOST_RUNNING)))
            if listed is not None:
                running = {job["id"]: job for job in listed}
                ended = [away.ask(partial(client.job, each)) for each in known if each not in running]
                shown.show([*running.values(), *(job for job in ended if job is not None)], {}, away.why)
                known = running
            else:
                shown.show(list(known.values()), {}, away.why)
            pause(bell, time.sleep)


def _until_finished(jobs: Jobs, away: Away, bell: Bell, display: Display) -> None:
    with display as shown:
        shown.show(jobs.documents, jobs.parts, None)
        while True:
            away.ask(jobs.look)
            shown.show(jobs.documents, jobs.parts, away.why)
            if not jobs.unfinished:
                return
            pause(bell, time.sleep)


def _result(client: MasterClient, job: Document) -> Document | None:
    """What came of it, if it has a result; the master may be away, or have thrown it away."""
    if job["status"] not in (JobStatus.COMPLETED, JobStatus.FAILED):
        return None
    try:
        return Away().ask(lambda: client.result(job["id"]))
    except ApiError:
        return None


def _say_that_they_go_on(ids: Sequence[str]) -> None:
    if not ids:
        return
    many = len(ids) > 1
    what, them = ("These jobs go", "them") if many else ("The job goes", "it")
    click.echo(f"{what} on. To cancel {them}:", err=True)
    for job_id in ids[:_MOST_CANCELS]:
        click.echo(f"  ffrtmp jobs cancel {job_id}", err=True)
    if len(ids) > _MOST_CANCELS:
        click.echo(f"  … and {len(ids) - _MOST_CANCELS} more: ffrtmp jobs list", err=True)
