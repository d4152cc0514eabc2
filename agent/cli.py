"""The command line of the agent."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import click

from agent.config import MOST_SLOTS
from agent.energy.model import parse_model
from agent.stop import StopError
from common.address import parse_address
from common.checkup import State
from common.inputs import HostPattern, parse_host_pattern, root_name
from common.logs import complain, set_up_logging
from common.options import (
    DURATION,
    SIZE,
    Parsed,
    log_options,
    require_platform,
    state_directory,
)
from common.version import VERSION

_DIRECTORY = click.Path(file_okay=False, path_type=Path)
_PRICE = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_LABEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._/-]{0,62})=([A-Za-z0-9._/-]{0,63})", re.ASCII)


def _media_root(text: str) -> tuple[str, Path]:
    """The name of a media root and its directory."""
    name, equals, path = text.partition("=")
    if not (equals and path.startswith("/")):
        raise ValueError(f"{text!r} is no media root; write NAME=/path")
    return root_name(name), Path(path)


def _output_host(text: str) -> HostPattern:
    """Servers that live streams may be sent to."""
    pattern = parse_host_pattern(text)
    if pattern.origin.scheme not in ("rtmp", "rtmps", "srt"):
        raise ValueError(f"{text!r} takes no streams; write rtmp://HOST, rtmps://HOST or srt://HOST:PORT")
    return pattern


def _price(text: str) -> float:
    """Money; whose, says `--currency`."""
    if _PRICE.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no price; write it as 0.30")
    return float(text)


class _MediaRoots(Parsed[tuple[str, Path]]):
    """Several of them are in the environment with `:` between, as in PATH."""

    envvar_list_splitter = os.pathsep


_MEDIA_ROOT = _MediaRoots("name=path", _media_root)
_PRICE_TYPE = Parsed("price", _price)


def _currency(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and _CURRENCY.fullmatch(value) is None:
        raise click.BadParameter(f"{value!r} is no currency; write three letters, as EUR")
    return value


def _check_prices(options: dict[str, Any]) -> None:
    priced = options["price_per_kwh"] is not None or options["price_per_hour"] is not None
    if priced and options["currency"] is None:
        raise click.UsageError("a price needs its currency: --currency EUR")


def _roots(_: click.Context, __: click.Parameter, values: tuple[tuple[str, Path], ...]) -> dict[str, Path]:
    roots = dict(values)
    if len(roots) != len(values):
        raise click.BadParameter("a name is given to two directories")
    return roots


def _labels(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    labels = {}
    for value in values:
        match = _LABEL.fullmatch(value)
        if match is None:
            raise click.BadParameter(f"{value!r} is no label; write name=value, of letters, digits and ._/-")
        labels[match[1]] = match[2]
    return labels


@click.command(context_settings={"auto_envvar_prefix": "FFRTMP", "show_default": True})
@click.option("--register", is_flag=True, help="Register with the master; needed the first time.")
@click.option(
    "--master",
    type=Parsed("url", parse_address),
    default="https://localhost:8080",
    help="The master; http:// means https:// here.",
)
@click.option(
    "--ca-cert",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The master's CA (its <state-dir>/tls/ca.pem). Without it, the CA met first is trusted and kept.",
)
@click.option(
    "--join-token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A join token, which saves waiting for approval: a file with it. Or the variable FFRTMP_JOIN_TOKEN.",
)
@click.option(
    "--name", default=socket.gethostname, show_default="host name", help="What people call this node."
)
@click.option("--label", multiple=True, metavar="K=V", callback=_labels, help="A label; may be repeated.")
@click.option(
    "--poll-interval", type=DURATION, default="10s", help="Pause between polls where they cannot wait."
)
@click.option("--heartbeat-interval", type=DURATION, default="30s", help="Time between two signs of life.")
@click.option(
    "--max-concurrent-jobs",
    type=click.IntRange(1, MOST_SLOTS),
    show_default="one for each 4 cores",
    help="Jobs to run at once.",
)
@click.option(
    "--state-dir",
    type=_DIRECTORY,
    default=lambda: state_directory("agent"),
    show_default="~/.local/state/ffmpeg-rtmp/agent",
    help="Where the node's identity and the master's CA are kept.",
)
@click.option(
    "--work-dir",
    type=_DIRECTORY,
    show_default="<state-dir>/work",
    help="Where outputs go, in a directory per job.",
)
@click.option(
    "--drain-timeout", type=DURATION, default="5m", help="Time for running jobs to finish on SIGTERM."
)
@click.option(
    "--keep-outputs", type=DURATION, default="30d", help="How long outputs are kept; older ones are removed."
)
@click.option(
    "--keep-outputs-size",
    type=SIZE,
    show_default="half of the work directory's disk",
    help="How much they may take together; the oldest go first. 200G, 1.5T.",
)
@click.option(
    "--cache-dir",
    type=_DIRECTORY,
    show_default="<state-dir>/cache",
    help="Where files of the master's store are kept for the next job; agents of one user may share it.",
)
@click.option(
    "--cache-size",
    type=SIZE,
    show_default="a tenth of its disk",
    help="How much they may take together; the longest unused go first. 200G, 1.5T.",
)
@click.option(
    "--allow-master-as-worker", is_flag=True, help="Allow it on the master's machine (development)."
)
@click.option("--yes", is_flag=True, help="Answer yes to the question that --allow-master-as-worker asks.")
@click.option(
    "--ffmpeg", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An ffmpeg to prefer."
)
@click.option(
    "--media-root",
    type=_MEDIA_ROOT,
    multiple=True,
    metavar="NAME=/PATH",
    callback=_roots,
    help="A directory whose files jobs may read, as media:NAME/...; may be repeated.",
)
@click.option(
    "--output-root",
    type=_MEDIA_ROOT,
    multiple=True,
    metavar="NAME=/PATH",
    callback=_roots,
    help="A directory that jobs may put outputs into, as media:NAME/...; may be repeated.",
)
@click.option(
    "--input-host",
    type=Parsed("host", parse_host_pattern),
    multiple=True,
    metavar="HOST",
    help="A server of inputs: HOST, *.DOMAIN, HOST:PORT, http://HOST, rtmp://HOST, s3://BUCKET; repeatable.",
)
@click.option("--allow-private-inputs", is_flag=True, help="Such servers may have private addresses.")
@click.option("--max-input-size", type=SIZE, default="50G", help="A larger input is not fetched. 500M, 1.5T.")
@click.option(
    "--output-host",
    type=Parsed("host", _output_host),
    multiple=True,
    metavar="HOST",
    help="A server that jobs may stream to: rtmp://HOST, rtmps://*.DOMAIN, srt://HOST:PORT; may be repeated.",
)
@click.option("--allow-private-outputs", is_flag=True, help="Such servers may have private addresses.")
@click.option(
    "--sandbox",
    type=click.Choice(("auto", "required", "off")),
    default="auto",
    help="Run ffmpeg without network and other files: where it works, always or never.",
)
@click.option(
    "--power-model",
    type=Parsed("watts", parse_model),
    metavar="idle=W,per_core=W",
    help="Watts of this machine, to estimate energy where it has no counter: idle=8,per_core=6.5.",
)
@click.option("--price-per-kwh", type=_PRICE_TYPE, help="What a kilowatt hour costs, as 0.30.")
@click.option("--price-per-hour", type=_PRICE_TYPE, help="What an hour of this machine costs, as 1.20.")
@click.option(
    "--currency", callback=_currency, metavar="CODE", help="Of these prices: three letters, as EUR or USD."
)
@click.option("--doctor", is_flag=True, help="Check whether this machine can be a worker, and end.")
@click.option(
    "--output",
    "-o",
    type=click.Choice(("table", "json")),
    default="table",
    help="How --doctor prints what it finds.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(1, 65535),
    help="Serve metrics for Prometheus on this port, over HTTP; without it they are not served.",
)
@click.option(
    "--metrics-address",
    default="127.0.0.1",
    help="Where: whoever can reach this address can read them.",
)
@log_options
@click.version_option(VERSION, prog_name="agent")
def main(**options: Any) -> None:
    """Take encoding jobs from a master, run them with ffmpeg, and report what they cost.

    Every option can also be set in the environment: FFRTMP_MASTER, FFRTMP_STATE_DIR, and so on.
    """
    # Taken out: nothing that the agent starts is to inherit it.
    options["join_token"] = os.environ.pop("FFRTMP_JOIN_TOKEN", None)
    require_platform("agent")
    if options["join_token"] and options["join_token_file"]:
        raise click.UsageError("--join-token-file and FFRTMP_JOIN_TOKEN both give a token; give one")
    _check_prices(options)
    if options["output"] != "table" and not options["doctor"]:
        raise click.UsageError("-o says how --doctor prints what it finds; give --doctor too")
    set_up_logging(options["log_level"], options["log_format"])
    if options["doctor"]:
        _examine(options)
    from agent.metrics import MetricsError
    from agent.start import run  # it loads ffmpeg's libraries: --help should not wait for that

    try:
        run(options)
    except StopError as error:
        complain("agent", str(error))
        raise SystemExit(1) from error
    except MetricsError as error:
        complain("agent", str(error))
        raise SystemExit(2) from error


def _examine(options: Mapping[str, Any]) -> NoReturn:
    """Print what the doctor finds, and end: with 1 if this machine can be no worker as it is."""
    from agent.doctor import examine

    found = []
    work_dir = options["work_dir"] or options["state_dir"] / "work"
    for finding in examine(work_dir, options["ffmpeg"], options["sandbox"]):
        found.append(finding)
        if options["output"] == "table":
            click.echo(finding.lines())  # at once: the next may take some seconds
    if options["output"] == "json":
        click.echo(json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False))
    raise SystemExit(int(any(each.state is State.BAD for each in found)))
