"""`ffrtmp`: the operator's command. It talks HTTP only, like everybody else."""

from __future__ import annotations

import contextlib
import functools
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
import requests

from common.client import ApiError, MasterClient, establish_trust, parse_address
from common.fields import StrictFloat, StrictInteger
from common.model import Confidence, JobStatus, Priority
from common.options import require_platform, state_directory
from common.schema import ParametersSchema
from common.trust import TrustError, explain
from common.version import VERSION
from master.operator import state, tables


@click.group(context_settings={"auto_envvar_prefix": "FFRTMP", "show_default": True})
@click.option("--master", default="https://localhost:8080", help="The master.")
@click.option(
    "--ca-cert",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The master's CA. Without it, the CA met first is trusted and kept.",
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The operator token (the master's <state-dir>/operator.token); not needed on its own machine.",
)
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="How to print.")
@click.version_option(VERSION, prog_name="ffrtmp")
@click.pass_context
def main(
    context: click.Context, master: str, ca_cert: Path | None, token_file: Path | None, output: str
) -> None:
    """Steer a master: its nodes, its jobs, its results."""
    require_platform("ffrtmp")
    try:
        address = parse_address(master)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--master") from error
    context.ensure_object(dict)

    try:
        token = token_file.read_text().strip() if token_file else None
    except OSError as error:
        raise click.BadParameter(f"cannot read it: {error.strerror}", param_hint="--token-file") from error

    @functools.cache
    def connect() -> MasterClient:
        trusted = establish_trust(address, ca_cert, state_directory("operator") / address.directory)
        if trusted.first_use:
            click.echo(f"Trusting the master's CA from now on: {trusted.fingerprint}", err=True)
        return MasterClient(address, trusted, token)

    context.obj.update(connect=connect, output=output, url=address.url)


def talks(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the command a client, print what it answers, and turn every failure into one line."""

    @functools.wraps(function)
    @click.pass_obj
    def command(settings: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        try:
            answer = function(settings["connect"](), *args, **kwargs)
        except (ApiError, TrustError) as error:
            raise click.ClickException(str(error)) from error
        except requests.exceptions.SSLError as error:
            raise click.ClickException(explain(error)) from error
        except (OSError, requests.RequestException) as error:
            raise click.ClickException(
                f"cannot reach the master at {settings['url']}: {_reason(error)}"
            ) from error
        if answer is not None:
            _print(answer, settings["output"])

    return command


def _reason(error: Exception) -> str:
    if isinstance(error, requests.exceptions.Timeout):
        return "it does not answer"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "nothing answers there; is it running?"
    return str(error)


def _print(answer: Any, output: str) -> None:
    if isinstance(answer, str):
        click.echo(answer)
    elif output == "json":
        click.echo(json.dumps(answer.document, indent=2, ensure_ascii=False))
    else:
        answer.show()


@main.group()
def nodes() -> None:
    """Worker machines."""


@nodes.command("list")
@talks
def list_nodes(client: MasterClient) -> Any:
    """All nodes, with what they are doing."""
    return tables.nodes(client.nodes())


@nodes.command("show")
@click.argument("node_id")
@talks
def show_node(client: MasterClient, node_id: str) -> Any:
    """All that is known of a node."""
    return tables.document(client.node(_full_id(node_id, client.nodes())))


def _node_verb(verb: str, text: str, done: str) -> None:
    @nodes.command(verb, help=text)
    @click.argument("node_id")
    @talks
    def command(client: MasterClient, node_id: str) -> str:
        node = client.change_node(_full_id(node_id, client.nodes()), verb)
        return f"Node {node['id']} ({node['address']}) {done}; it is {node['status']}."


_node_verb("approve", "Let a node from another machine take jobs.", "is approved")
_node_verb("drain", "Let a node finish what it has, and give it nothing new.", "drains")
_node_verb("resume", "Give a drained node jobs again.", "takes jobs again")


@nodes.command("rm")
@click.argument("node_id")
@talks
def remove_node(client: MasterClient, node_id: str) -> str:
    """Forget a node; the jobs it runs go back to the queue."""
    found = _full_id(node_id, client.nodes())
    client.remove_node(found)
    return f"Node {found} is removed."


def _full_id(start: str, documents: Iterable[dict[str, Any]]) -> str:
    """The one id that begins with `start`; what was typed if there is none or more than one."""
    if not start:
        raise click.BadParameter("an id is empty; is a variable unset?")
    matches = [document["id"] for document in documents if document["id"].startswith(start)]
    return matches[0] if len(matches) == 1 else start


@main.group()
def jobs() -> None:
    """Encodes."""


@jobs.command("submit")
@click.argument("scenario")
@click.option(
    "-p", "--parameter", multiple=True, metavar="NAME=VALUE", help="A parameter, such as duration=60."
)
@click.option("--confidence", type=click.Choice([c.value for c in Confidence]), default="auto")
@click.option("--priority", type=click.Choice([p.value for p in Priority]), default="medium")
@click.option("--label", multiple=True, metavar="K=V", help="A label that the node must have.")
@click.option("--gpu", is_flag=True, help="The node must have a GPU.")
@talks
def submit(
    client: MasterClient,
    scenario: str,
    parameter: tuple[str, ...],
    confidence: str,
    priority: str,
    label: tuple[str, ...],
    gpu: bool,
) -> Any:
    """Queue a job and print its id."""
    job = client.submit(
        {
            "scenario": scenario,
            "parameters": {name: _value(name, text) for name, text in map(_pair, parameter)},
            "confidence": confidence,
            "priority": priority,
            "constraints": {"labels": dict(map(_pair, label)), "gpu": gpu},
        }
    )
    return tables.job_submitted(job)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.BadParameter(f"{text!r} is not NAME=VALUE")
    return name, value


def _value(name: str, text: str) -> Any:
    """A number where the parameter is one: `duration=60`, but `preset=8` is a name."""
    if not isinstance(ParametersSchema().fields.get(name), StrictInteger | StrictFloat):
        return text
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            value = kind(text)
            if math.isfinite(value):
                return value
    return text  # the master says what is wrong with it


@jobs.command("list")
@click.option("--status", type=click.Choice([s.value for s in JobStatus]), help="Only these.")
@click.option("--limit", type=click.IntRange(1), default=50, help="How many at most.")
@talks
def list_jobs(client: MasterClient, status: str | None, limit: int) -> Any:
    """Jobs: the unfinished ones first."""
    return tables.jobs([job for job, _ in zip(client.jobs(status), range(limit), strict=False)])


@jobs.command("show")
@click.argument("job_id")
@talks
def show_job(client: MasterClient, job_id: str) -> Any:
    """All that is known of a job."""
    return tables.document(client.job(job_id))


@jobs.command("logs")
@click.argument("job_id")
@talks
def job_logs(client: MasterClient, job_id: str) -> str:
    """What ffmpeg and the agent said."""
    return "\n".join(client.logs(job_id))


@jobs.command("cancel")
@click.argument("job_id")
@talks
def cancel(client: MasterClient, job_id: str) -> str:
    """End a job, running or not."""
    return f"Job {client.change_job(job_id, 'cancel')['id']} is canceled."


@jobs.command("retry")
@click.argument("job_id")
@talks
def retry(client: MasterClient, job_id: str) -> Any:
    """Queue a new job that repeats a finished one."""
    return tables.job_submitted(client.change_job(job_id, "retry"))


@main.command("results")
@click.argument("job_id", required=False)
@click.option("--limit", type=click.IntRange(1), default=50, help="How many at most.")
@talks
def results(client: MasterClient, job_id: str | None, limit: int) -> Any:
    """What came of finished jobs, or of one."""
    if job_id is not None:
        return tables.document(client.result(job_id))
    return tables.results([result for result, _ in zip(client.results(), range(limit), strict=False)])


@main.command("scenarios")
@talks
def scenarios(client: MasterClient) -> Any:
    """What can be encoded."""
    return tables.scenarios(client.scenarios())


for command in state.COMMANDS:
    main.add_command(command)
