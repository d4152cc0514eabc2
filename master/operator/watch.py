"""`ffrtmp watch`: what appears in a folder is submitted, once each."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from common.inputs import InputError, parse_media
from common.model import Priority
from common.options import DURATION, state_directory
from common.outputs import parse_output
from master.operator import tables
from master.operator.arguments import pair, parameters
from master.operator.folder import Rules, Settling
from master.operator.seen import Seen, SeenError
from master.operator.sending import Sender
from master.operator.watching import FIELD, Loop, Watch


class _StopError(BaseException):
    """A signal wants us to end. Wherever it comes, nothing is lost: see `Watch.key`."""


@click.command("watch")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--scenario", required=True, help="What becomes of each file.")
@click.option(
    "-p", "--parameter", multiple=True, metavar="NAME=VALUE", help="A parameter, such as duration=60."
)
@click.option(
    "--media-root",
    "root",
    metavar="NAME[/PATH]",
    help="What the nodes call DIR: the media root that it is, or a directory below one. Without it they need "
    "not see DIR: each file is sent to the master's file store.",
)
@click.option(
    "--output",
    metavar="OUTPUT",
    help="Where what is made goes: files, or as media:finished/{stem}.mp4. {path} is the file's path below "
    "DIR, {stem} the same without its last suffix.",
)
@click.option(
    "--pattern", multiple=True, metavar="GLOB", help="Only files named so, as '*.mov'; may be repeated."
)
@click.option("--recursive", is_flag=True, help="Also what is in directories below it.")
@click.option("--priority", type=click.Choice([p.value for p in Priority]), default="medium")
@click.option("--label", multiple=True, metavar="K=V", help="A label that the node must have.")
@click.option(
    "--settle", type=DURATION, default="10s", help="A file that does not change for so long is whole."
)
@click.option("--interval", type=DURATION, default="2s", help="Time between two looks.")
@click.option("--once", is_flag=True, help="Submit what is there now, and end.")
@click.pass_obj
def watch(settings: dict[str, Any], /, folder: Path, **options: Any) -> None:
    """Submit what appears in a folder, once each, until a signal comes.

    A file is whole when its size and time have not changed for a while, and nobody here has it open to
    write. Names that begin with a dot or end in .part, .tmp and the like are left out, and so are links.
    """
    watched = _watch(folder, options)
    directory = state_directory("operator") / "watch"

    def said(job_id: str, path: str) -> None:
        if settings["output"] == "json":
            click.echo(json.dumps({"job_id": job_id, "path": path}, ensure_ascii=False))
        else:
            click.echo(f"{job_id}  {path}")

    master = hashlib.sha256(settings["url"].encode()).hexdigest()[:8]
    try:
        with _until_signal(), Seen(directory / f"{master}-{watched.name}.sqlite") as seen:
            loop = Loop(
                watched,
                Rules(options["pattern"], options["recursive"]),
                seen,
                settings["connect"],
                said,
                options["interval"],
                Settling(options["settle"]),
                Sender(),
            )
            loop.run(once=options["once"])
    except SeenError as error:
        raise click.ClickException(str(error)) from error
    except _StopError:
        click.echo("Watching no longer; what was submitted is remembered.", err=True)
        return
    if loop.not_taken():
        raise click.ClickException(f"not taken: {tables.counted(loop.not_taken(), 'file')}")


def _watch(folder: Path, options: Mapping[str, Any]) -> Watch:
    """What the options ask for; a usage error if that cannot be."""
    root, below = _root(options["root"])
    job = {
        "scenario": options["scenario"],
        "parameters": parameters(options["parameter"]),
        "priority": options["priority"],
        "constraints": {"labels": dict(map(pair, options["label"]))},
    }
    watched = Watch(os.fsencode(folder.resolve()), below, root, job, options["output"])
    if options["output"] is not None:
        _check_output(watched)
    return watched


def _root(text: str | None) -> tuple[str | None, bytes]:
    """The media root, and what the folder is called below it; a usage error if it can be none."""
    if text is None:
        return None, b""
    root, _, below = text.partition("/")
    prefix = os.fsencode(below.strip("/"))
    below_root = prefix + b"/" if prefix else b""
    try:
        parse_media(Watch(b"", below_root, root, {}).request(b"x.mov")["input"])
    except InputError as error:
        raise click.BadParameter(str(error), param_hint="--media-root") from error
    return root, below_root


def _check_output(watched: Watch) -> None:
    try:
        parse_output(watched.request(b"x.mov")["output"])
    except InputError as error:
        raise click.BadParameter(str(error), param_hint="--output") from error
    if str(watched.output).startswith("media:") and not FIELD.search(str(watched.output)):
        raise click.BadParameter(
            "each file needs a place of its own; use {stem} or {path}", param_hint="--output"
        )


@contextmanager
def _until_signal() -> Iterator[None]:
    """Within the block the first TERM or Ctrl-C raises `_StopError`, and further ones do nothing."""
    told = threading.Event()

    def stop(*_: object) -> None:
        if not told.is_set():
            told.set()
            raise _StopError

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, stop) for number in numbers}
    # The kernel would tell us that somebody opens a file whose lease we have just asked for.
    before[signal.SIGIO] = signal.signal(signal.SIGIO, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
