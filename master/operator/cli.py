"""`ffrtmp`: the operator's command. It talks HTTP, but for what is done to files (`state`)."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from common.options import require_platform, state_directory
from common.tokens import TokenText, parse
from common.version import VERSION
from master.operator.completion import complete
from master.operator.contexts import KEYS, ConfigError, config_file, load
from master.operator.formats import FORMATS
from master.operator.program import Later, Program, either_place
from master.operator.target import DEFAULT_MASTER, Target, choose

if TYPE_CHECKING:
    from common.client import MasterClient

_COMMANDS = {
    "audit": Later("master.operator.audit:audit", "Who did what, when: the newest first."),
    "backup": Later(
        "master.operator.state:backup_command",
        "Write all that the master is into FILE (tar.gz), while it runs or not, and read it back.",
    ),
    "completion": Later(
        "master.operator.completion:completion",
        "Print what a shell needs to complete commands, scenarios, and ids of jobs and nodes.",
    ),
    "config": Later(
        "master.operator.config:config",
        "Several masters by name: a context is a master, its CA, and the file with your token.",
    ),
    "doctor": Later(
        "master.operator.doctor.command:doctor",
        "Check this machine and the way to the master, and say what to do; "
        "exit code 1 if something is wrong.",
    ),
    "files": Later("master.operator.files:files", "Files that jobs read and make, in the master's store."),
    "jobs": Later("master.operator.jobs:jobs", "Encodes."),
    "journal": Later(
        "master.operator.state:journal",
        "The master's queue on disk: is it sound, and if not, what can be saved?",
    ),
    "matrix": Later(
        "master.operator.matrix.command:matrix", "Queue a whole experiment, all of its jobs or none."
    ),
    "migrate": Later(
        "master.operator.migrate:migrate_command",
        "Move all records and the whole history from one store to another, while no master runs.",
    ),
    "nodes": Later("master.operator.nodes:nodes", "Worker machines."),
    "queue": Later("master.operator.queue:queue", "The queue as a whole."),
    "report": Later(
        "master.operator.report.command:report",
        "Compare finished jobs: quality, bitrate, speed, energy, cost and BD-rates.",
    ),
    "results": Later("master.operator.results:results", "What came of finished jobs, or of one."),
    "scenarios": Later("master.operator.results:scenarios", "What can be encoded."),
    "status": Later(
        "master.operator.status:status",
        "How the farm stands, on one screen; exit code 1 if something needs somebody.",
    ),
    "tokens": Later(
        "master.operator.tokens:tokens", "What others show to join, to submit, to look, or to operate."
    ),
    "top": Later(
        "master.operator.live.top:top",
        "The whole farm on one screen, live: nodes, what runs, what waits, what was finished.",
    ),
    "watch": Later(
        "master.operator.watch:watch", "Submit what appears in a folder, once each, until a signal comes."
    ),
    "webhooks": Later(
        "master.operator.webhooks:webhooks", "Who is told of what happens, by requests that the master sends."
    ),
}
"""Where each command is, and the first sentence of its help: its module is loaded when it is used."""


def _finish(command: click.Command) -> None:
    """What every command has."""
    either_place(command)
    complete(command, _for_completion)


@click.group(
    cls=Program,
    later=_COMMANDS,
    finish=_finish,
    context_settings={"auto_envvar_prefix": "FFRTMP", "show_default": True},
)
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
        from common.client import MasterClient, establish_trust  # what talks to nobody does without them

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
    from common.client import MasterClient, establish_trust

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


complete(main, _for_completion)
