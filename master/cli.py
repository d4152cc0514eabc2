"""The command line of the master."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from common.durations import MOST_SECONDS
from common.logs import complain, set_up_logging, tell
from common.options import DURATION, SIZE, log_options, require_platform, state_directory
from common.version import VERSION
from master.config import Config
from master.errors import StartError
from master.store.urls import has_password, is_database

_FILE = click.Path(dir_okay=False, path_type=Path)


def _server_names(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    from master.tls import is_name  # it loads the cryptography: --help should not wait for that

    for value in values:
        if not is_name(value):
            raise click.BadParameter(f"{value!r} is neither a DNS name nor an address")
    return values


def _store(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if not value:
        return None
    if not is_database(value):
        raise click.BadParameter("must begin with postgresql://")
    given = context.get_parameter_source(parameter.name or "")
    if given is ParameterSource.COMMANDLINE and has_password(value):
        raise click.BadParameter(
            "everybody on this machine can read a command line: put a URL with a password into FFRTMP_STORE, "
            "or the password into a file (PGPASSFILE)"
        )
    return value


@click.command(context_settings={"auto_envvar_prefix": "FFRTMP", "show_default": True})
@click.option("--port", type=click.IntRange(1, 65535), default=8080, help="Port to listen on.")
@click.option("--host", default="0.0.0.0", help="Address to listen on.")  # noqa: S104 - see master.config
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: state_directory("master"),
    show_default="~/.local/state/ffmpeg-rtmp/master",
    help="Where the queue, the results, the keys and the operator token are kept.",
)
@click.option(
    "--store",
    metavar="URL",
    callback=_store,
    show_default="the state directory",
    help="A PostgreSQL that keeps the queue and the results: postgresql://farm@db.example.com/farm. "
    "Its password belongs in FFRTMP_STORE or a password file, not here.",
)
@click.option(
    "--shared-dir",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="none: one master",
    help="A directory that all masters of one --store see: for files, logs, the archive, the CA, the tokens.",
)
@click.option("--tls-cert", type=_FILE, help="Your own certificate chain (PEM); needs --tls-key.")
@click.option("--tls-key", type=_FILE, help="The key of --tls-cert (PEM).")
@click.option(
    "--server-name",
    "server_names",
    multiple=True,
    callback=_server_names,
    help="A further name or address of this master, for its certificate and in requests. May be repeated.",
)
@click.option(
    "--auth",
    type=click.Choice(["auto", "required"]),
    default="auto",
    help="auto: programs of the master's user on this machine need no token. required: everybody does.",
)
@click.option("--lease", type=DURATION, default="90s", help="How long a claimed job holds unheard of.")
@click.option("--heartbeat-timeout", type=DURATION, default="90s", help="Silence that makes a node offline.")
@click.option("--max-attempts", type=click.IntRange(1, 100), default=3, help="Attempts that a job gets.")
@click.option(
    "--quarantine-after",
    type=click.IntRange(0, 100),
    default=3,
    help="Lost agents that set a job aside, and failed jobs in a row that set a node aside; 0: never.",
)
@click.option(
    "--retention",
    type=DURATION,
    default="30d",
    help="How long finished jobs are at hand; then they move to the archive. Never: 36500d.",
)
@click.option(
    "--submit-rate",
    type=click.FloatRange(0, 1e6),
    default=100.0,
    help="Jobs a second that one submitter may queue in the long run; 0: any number.",
)
@click.option(
    "--max-pending-jobs",
    type=click.IntRange(1, 100_000_000),
    default=1_000_000,
    help="Jobs that may wait at once.",
)
@click.option(
    "--audit-retention",
    type=DURATION,
    default="365d",
    help="How long the audit is kept; what is older is removed. Never: 36500d.",
)
@click.option(
    "--credential-ttl",
    type=DURATION,
    default="90d",
    help="How long a node's credential is valid; agents replace theirs in time.",
)
@click.option(
    "--files-quota",
    type=SIZE,
    show_default="half of the disk",
    help="How much the file store may hold. 500G, 1.5T.",
)
@click.option(
    "--keep-files",
    type=DURATION,
    default="7d",
    help="How long a stored file stays after its last use, and after the last job that refers to it.",
)
@click.option("--threads", type=click.IntRange(4, 4096), default=32, help="Slow requests served at once.")
@click.option(
    "--max-connections-per-address",
    type=click.IntRange(0),
    default=0,
    help="Open connections of one address; loopback is exempt; 0: any number.",
)
@click.option(
    "--max-streams",
    type=click.IntRange(1, 10_000),
    default=1000,
    help="Streams of events and logs that may be open at once.",
)
@click.option(
    "--allow-private-webhooks",
    is_flag=True,
    help="Let webhooks be sent to private addresses, this machine's too, and there without TLS.",
)
@log_options
@click.version_option(VERSION, prog_name="master")
def main(**options: object) -> None:
    """Keep the job queue, the node registry and the results, and serve them over TLS.

    Every option can also be set in the environment: FFRTMP_PORT, FFRTMP_STATE_DIR, and so on.
    """
    require_platform("master")
    if (options["tls_cert"] is None) != (options["tls_key"] is None):
        raise click.UsageError("--tls-cert and --tls-key go together; give both or neither")
    if not options["heartbeat_timeout"] <= options["credential_ttl"] <= MOST_SECONDS:  # type: ignore[operator]  # click has converted both
        raise click.UsageError(
            "--credential-ttl must be at least --heartbeat-timeout, since agents replace theirs with a "
            "heartbeat, and 36500d at most"
        )
    if options["shared_dir"] is not None and options["store"] is None:
        raise click.UsageError(
            "--shared-dir is for masters that share a database, too: name it with --store postgresql://…"
        )
    config = Config(**options)  # type: ignore[arg-type]  # click has converted each of them
    set_up_logging(config.log_level, config.log_format)
    raise SystemExit(run(config))


def run(config: Config) -> int:
    """Serve until told to stop; the exit code. What prevents it is printed in one line."""
    from master.app import compile_pages
    from master.runtime import check, start
    from master.server import bind, serve

    try:
        check(config)
        listener = bind(config)
    except StartError as error:
        complain("master", str(error))
        return 1
    tell("Starting FFmpeg RTMP Distributed Master Node")
    tell(f"Port: {config.port}")
    # In the process that watches: each worker, also one that takes the place of another, begins sooner.
    compile_pages()
    return serve(config, listener, start)
