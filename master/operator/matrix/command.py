"""`ffrtmp matrix`: queue an experiment."""

from __future__ import annotations

import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import click

from common.model import JobStatus
from master.operator import tables
from master.operator.matrix.expand import Job, Matrix
from master.operator.matrix.file import read_matrix
from master.operator.tables import Answer, Column
from master.operator.talk import clear_failures, show


@click.command("matrix")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the jobs, and queue none.")
@click.option("--again", is_flag=True, help="Queue them although the same were queued before.")
@click.pass_obj
def matrix(settings: dict[str, Any], file: Path, dry_run: bool, again: bool) -> None:
    """Queue a whole experiment, all of its jobs or none.

    FILE (YAML) has lists of scenarios, inputs, codecs, presets and bitrates or qualities; each combination
    is a job. The same FILE again queues nothing twice. See docs/reports.md.
    """
    wanted = read_matrix(file)
    if dry_run:
        show(_planned(wanted), settings)
        return
    key = f"{wanted.key} {uuid.uuid4()}" if again else wanted.key
    with clear_failures(settings):
        queued = settings["connect"]().submit_batch(wanted.jobs, key)
    show(_queued(file, queued), settings)


def _planned(wanted: Matrix) -> Answer:
    """The jobs that would be queued."""

    def parameter(*names: str) -> Any:
        def render(job: Job) -> str:
            known = [(name, job["parameters"].get(name)) for name in names]
            return (
                ", ".join(f"{n} {v}" if len(names) > 1 else str(v) for n, v in known if v is not None) or "-"
            )

        return render

    columns: list[Column] = [
        ("SCENARIO", lambda job: job["scenario"]),
        ("INPUT", lambda job: job.get("input") or "-"),
        ("CODEC", parameter("codec")),
        ("PRESET", parameter("preset")),
        ("RATE", parameter("bitrate", "crf", "target_vmaf")),
    ]
    answer = tables.table(wanted.unique, columns, "")

    def print_them() -> None:
        answer.show()
        times = f", each {wanted.repeat} times" if wanted.repeat > 1 else ""
        click.echo(f"{len(wanted.jobs)} jobs: {len(wanted.unique)} combinations{times}. Nothing was queued.")

    return Answer(list(wanted.jobs), print_them)


def _queued(file: Path, jobs: list[dict[str, Any]]) -> Answer:
    """What has become of the jobs: all wait, or some have run, if they were queued before."""
    counts = Counter(job["status"] for job in jobs)
    listed = ", ".join(f"{counts[status]} {status}" for status in JobStatus if counts[status])

    def print_them() -> None:
        click.echo(f"{len(jobs)} jobs: {listed}.")
        click.echo(f"When they are finished: ffrtmp report --matrix {file}")

    return Answer(jobs, print_them)
