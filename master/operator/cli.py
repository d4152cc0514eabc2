"""`ffrtmp`: the operator's command. It talks HTTP, but for what is done to files (`state`)."""

from __future__ import annotations

import functools
import os
from itertools import islice
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from common.client import MasterClient, establish_trust
from common.options import require_platform, state_directory
from common.tokens import TokenText, parse
from common.version import VERSION
from master.operator import details, ids, state, tables
from master.operator.audit import audit
from master.operator.completion import complete, completion
from master.operator.config import config
from master.operator.contexts import KEYS, ConfigError, config_file, load
from master.operator.doctor.command import doctor
from master.operator.exits import UnknownError
from master.operator.files import files
from master.operator.formats import FORMATS
from master.operator.jobs import jobs
from master.operator.live.top import top
from master.operator.matrix.command import matrix
from master.operator.node_names import NodeNames
from master.operator.nodes import nodes
from master.operator.program import Program, either_place
from master.operator.queue import queue
from master.operator.report.command import report
from master.operator.status import status
from master.operator.talk import talks
from master.operator.target import DEFAULT_MASTER, Target, choose
from master.operator.tokens import tokens
from master.operator.watch import watch
from master.operator.webhooks import webhooks


@click.group(cls=Program, context_settings={"auto_envvar_prefix": "FFRTMP", "show_default": True})
@click.option("--context", "named", envvar="FFRTMP_CONTEXT", help="The master with this name: ffrtmp config.")
@click.option("--master", help="The master.", show_default=DEFAULT_MASTER)
@click.option(
    "--ca-cert",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The master's CA. Without it, the CA met first is trusted and kept.",
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A token (ffrtmp tokens create), or the master's <state-dir>/operator.token; on the master's own "
    "machine none is needed. Or the variable FFRTMP_TOKEN.",
)
@click.option("-o", "--output", type=click.Choice(FORMATS), default="table", help="How to print.")
@click.option("-q", "--quiet", is_flag=True, help="Print ids only.")
@click.version_option(VERSION, prog_name="ffrtmp")
@click.pass_context
def main(context: click.Context, /, output: str, quiet: bool, **_: Any) -> None:
    """Steer a master: its nodes, its jobs, its results."""
    require_platform("ffrtmp")
    context.ensure_object(dict)
    # Taken out: nothing that is started from here is to inherit it.
    text = os.environ.pop("FFRTMP_TOKEN", None)
    target = functools.cache(functools.partial(_target, context, text))
    if context.invoked_subcommand not in _WITHOUT_MASTER:
        target()

    @functools.cache
    def connect() -> MasterClient:
        address, token = target().address, _token(target(), text)
        directory = state_directory("operator") / address.directory
        named = target().value("ca_cert")
        expected = token.fingerprint if token else None
        trusted = establish_trust(address, Path(named) if named else None, directory, expected)
        if trusted.first_use:
            click.echo(f"Trusting the master's CA from now on: {trusted.fingerprint}", err=True)
        return MasterClient(address, trusted, token.secret if token else None)

    context.obj.update(
        target=target, token=lambda: _token(target(), text), connect=connect, output=output, quiet=quiet
    )


def _for_completion(context: click.Context) -> MasterClient | None:
    """A client for what a shell asks; None while the master is not trusted: nobody would see it."""
    token = os.environ.get("FFRTMP_TOKEN")
    chosen = _target(context, token)
    text, named = _token(chosen, token), chosen.value("ca_cert")
    directory = state_directory("operator") / chosen.address.directory
    if named is None and not (directory / "ca.pem").exists():
        return None
    expected = text.fingerprint if text else None
    trusted = establish_trust(chosen.address, Path(named) if named else None, directory, expected)
    return MasterClient(chosen.address, trusted, text.secret if text else None)


_WITHOUT_MASTER = ("config", "completion")
"""Commands that work although the config file names no master that can be meant."""


def _target(context: click.Context, token: str | None) -> Target:
    """The master that is meant; a usage error if it is none."""
    flags: dict[str, str | None] = {}
    environment: dict[str, str | None] = {"token_file": "FFRTMP_TOKEN" if token else None}
    for key, parameter in {**dict.fromkeys(KEYS), "context": "named"}.items():
        value = context.params[parameter or key]
        given = context.get_parameter_source(parameter or key)
        where = flags if given is ParameterSource.COMMANDLINE else environment
        if value is not None:
            where[key] = str(value)
    if token and context.params["token_file"] is not None:
        raise click.UsageError("--token-file and FFRTMP_TOKEN both give a token; give one")
    try:
        chosen = choose(flags, environment, load(config_file()))
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--master") from error
    context.ensure_object(dict)["url"] = chosen.address.url
    _token(chosen, token)
    return chosen


def _token(chosen: Target, text: str | None) -> TokenText | None:
    """The token that is shown to the master, if any; a usage error if it is none."""
    setting = chosen.settings["token_file"]
    if setting.value is None:
        return None
    in_variable = setting.source == "environment" and text is not None
    hint = "FFRTMP_TOKEN" if in_variable else "--token-file"
    if setting.source.startswith("context"):
        hint = f"token_file of {setting.source}, {setting.value}"
    try:
        return parse(text or "" if in_variable else Path(setting.value).read_text())
    except OSError as error:
        raise click.BadParameter(f"cannot read it: {error.strerror}", param_hint=hint) from error
    except UnicodeDecodeError as error:
        raise click.BadParameter("it holds no text", param_hint=hint) from error
    except ValueError as error:
        raise click.BadParameter(f"what it holds {error}", param_hint=hint) from error


for group in (nodes, jobs, files, queue, tokens, webhooks, config):
    main.add_command(group)


@main.command("results")
@click.argument("job_id", required=False)
@click.option("--limit", type=click.IntRange(1), default=50, help="How many at most.")
@click.option(
    "--archive", is_flag=True, help="Of jobs that were finished longer ago than the master's --retention."
)
@talks
def results(client: MasterClient, job_id: str | None, limit: int, archive: bool) -> Any:
    """What came of finished jobs, or of one."""
    if archive and job_id is not None:
        archived = next(client.archived_results(job_id), None)
        if archived is None:
            raise UnknownError(f"there is no job {job_id!r} in the archive")
        return details.result(archived, NodeNames(client))
    if archive:
        return tables.results(islice(client.archived_results(), limit), "Nothing is archived yet.")
    if job_id is not None:
        return details.result(client.result(ids.job_id(client, job_id)), NodeNames(client))
    return tables.results(islice(client.results(limit), limit))


@main.command("scenarios")
@talks
def scenarios(client: MasterClient) -> Any:
    """What can be encoded."""
    return tables.scenarios(client.scenarios())


for command in (audit, completion, doctor, matrix, report, status, top, watch, *state.COMMANDS):
    main.add_command(command)

either_place(main)
complete(main, _for_completion)
