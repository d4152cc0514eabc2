"""`ffrtmp jobs`: encodes."""

from __future__ import annotations

from itertools import islice
from typing import IO, Any

import click

from common import strictjson
from common.client import MasterClient
from common.model import Confidence, JobStatus, Priority, Stage
from master.operator import details, ids, tables
from master.operator.arguments import pair, parameters
from master.operator.live.commands import WAIT, job_logs, submitted, watch_jobs
from master.operator.node_names import NodeNames
from master.operator.talk import talks


@click.group()
def jobs() -> None:
    """Encodes."""


@jobs.command("submit")
@click.argument("scenario")
@click.option(
    "-p",
    "--parameter",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter, as duration=60, two_pass=true or quality=vmaf,psnr (a list); may be repeated. "
    "docs/api.md has all.",
)
@click.option(
    "--input",
    "source",
    metavar="INPUT",
    help="What to encode: media:ROOT/PATH, file:SHA256, job:JOB_ID/PATH, https://HOST/PATH, "
    "s3://BUCKET/KEY, rtmp://HOST/APP/KEY or srt://HOST:PORT; else a test picture.",
)
@click.option(
    "--output",
    "goal",
    metavar="OUTPUT",
    help="Where what it makes goes: files, media:ROOT/PATH, rtmp://HOST/APP/KEY or srt://HOST:PORT; "
    "else it stays on the node.",
)
@click.option(
    "--split",
    metavar="auto|off|N",
    help="Encode the file in chunks, on several nodes at once (docs/split.md): auto, or about how many.",
)
@click.option(
    "--after",
    multiple=True,
    metavar="JOB",
    help="A job that must be completed before this one begins; may be repeated (docs/chains.md).",
)
@click.option("--confidence", type=click.Choice([c.value for c in Confidence]), default="auto")
@click.option("--priority", type=click.Choice([p.value for p in Priority]), default="medium")
@click.option("--label", multiple=True, metavar="K=V", help="A label that the node must have.")
@click.option("--gpu", is_flag=True, help="The node must have a GPU.")
@WAIT
@talks
def submit(
    client: MasterClient,
    scenario: str,
    parameter: tuple[str, ...],
    source: str | None,
    goal: str | None,
    split: str | None,
    after: tuple[str, ...],
    confidence: str,
    priority: str,
    label: tuple[str, ...],
    gpu: bool,
    wait: bool,
) -> Any:
    """Queue a job and print its id."""
    job = client.submit(
        {
            "scenario": scenario,
            "parameters": parameters([*parameter, *([] if split is None else [f"split={split}"])]),
            **({} if source is None else {"input": source}),
            **({} if goal is None else {"output": goal}),
            **_waiting(client, after),
            "confidence": confidence,
            "priority": priority,
            "constraints": {"labels": dict(map(pair, label)), "gpu": gpu},
        }
    )
    return submitted(client, [job]) if wait else tables.job_submitted(job)


def _waiting(client: MasterClient, after: tuple[str, ...]) -> dict[str, list[str]]:
    """What the job is to wait for; nothing for masters that know no chains yet, where none was asked for."""
    found = list(dict.fromkeys(ids.job_id(client, each) for each in after))
    return {"depends_on": found} if found else {}


@jobs.command("batch")
@click.argument("file", type=click.File("rb"))
@WAIT
@talks
def batch(client: MasterClient, file: IO[bytes], wait: bool) -> Any:
    """Queue many jobs, all or none, and print their ids.

    FILE (or - for standard input) has a JSON object for each job, one on a line or all in a list:
    {"scenario": "720p-h264", "parameters": {"duration": 60}}. What is refused is named as jobs.N,
    counted from 0.
    """
    queued = client.submit_batch(_documents(file.read()))
    return submitted(client, queued) if wait else tables.jobs_submitted(queued)


def _documents(data: bytes) -> list[Any]:
    """The jobs of a batch file; a usage error that names the line if it is none."""
    try:
        whole = strictjson.loads(data)
    except strictjson.StrictJSONError:
        whole = None
    if isinstance(whole, list):
        return whole
    found = []
    for number, line in enumerate(data.splitlines(), start=1):
        if line.strip():
            try:
                found.append(strictjson.loads(line))
            except strictjson.StrictJSONError as error:
                raise click.BadParameter(
                    f"line {number} is no JSON that we take: {error}", param_hint="FILE"
                ) from error
    if not found:
        raise click.BadParameter("there is no job in it", param_hint="FILE")
    return found


@jobs.command("list")
@click.option("--status", type=click.Choice([s.value for s in JobStatus]), help="Only these.")
@click.option(
    "--parts", is_flag=True, help="Also the parts of divided jobs, which else are listed only while they run."
)
@click.option("--limit", type=click.IntRange(1), default=50, help="How many at most.")
@talks
def list_jobs(client: MasterClient, status: str | None, parts: bool, limit: int) -> Any:
    """Jobs: the unfinished ones first."""
    # With `running`, what nodes are at: a divided job waits meanwhile.
    whole = not parts and status != JobStatus.RUNNING
    return tables.jobs(islice(client.jobs(status, most=limit, whole=whole), limit), NodeNames(client))


@jobs.command("show")
@click.argument("job_id")
@talks
def show_job(client: MasterClient, job_id: str) -> Any:
    """All that is known of a job, of its parts, and of the files that it made."""
    job_id = ids.job_id(client, job_id)
    job = client.job(job_id)
    divided = job.get("stage", "encode") in ("plan", "join") or "target_vmaf" in job["parameters"]
    parts = list(client.jobs(parent_id=job_id)) if divided else []
    if any(part["stage"] == Stage.CHUNK for part in parts):
        parts.sort(key=lambda part: str(part["part"]))  # chunks are numbered in the order of the film
    if parts:
        told = ("part", "twin_of", "id", "status", "node_id")
        job["parts"] = [{name: part.get(name) for name in told} for part in parts]
    has_result = job["status"] in (JobStatus.COMPLETED, JobStatus.FAILED)
    return details.job(job, client.result(job_id) if has_result else None, NodeNames(client))


for _command in (job_logs, watch_jobs):
    jobs.add_command(_command)


def _job_verb(verb: str, text: str, done: str) -> None:
    @jobs.command(verb, help=text)
    @click.argument("job_id")
    @talks
    def command(client: MasterClient, job_id: str) -> Any:
        job = client.change_job(ids.job_id(client, job_id), verb)
        return tables.said(job, f"Job {job['id']} {done.format(status=job['status'])}.")


_job_verb("cancel", "End a job, running or not.", "is {status}")
_job_verb("pause", "Hold a pending job back.", "is {status}")
_job_verb("resume", "Let a paused job wait for a node again.", "is not held back; it is {status}")


@jobs.command("retry")
@click.argument("job_id")
@talks
def retry(client: MasterClient, job_id: str) -> Any:
    """Queue a new job that repeats a finished one."""
    return tables.job_submitted(client.retry(ids.job_id(client, job_id)))
