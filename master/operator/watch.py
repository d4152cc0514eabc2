"""`ffrtmp watch`: what appears in a folder is submitted, once each."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import requests

from common import paths
from common.client import ApiError, MasterClient
from common.inputs import InputError, parse_media
from common.model import Priority
from common.options import DURATION, state_directory
from common.outputs import parse_output
from common.trust import TrustError, explain
from master.operator.arguments import pair, parameters
from master.operator.folder import Rules, Settling, State, is_being_written, look
from master.operator.seen import Seen, SeenError

_PAUSES = (1.0, 60.0)
"""Seconds before the master is asked again when it is away: the first time, and at most."""
_FIELD = re.compile(r"\{(path|stem)\}")


@dataclass(frozen=True, slots=True)
class Watch:
    """What is submitted of which folder."""

    folder: bytes
    below: bytes
    """What the nodes call the folder below their media root; empty, or with `/` at its end."""
    root: str
    job: Mapping[str, Any]
    """The request, without input and output."""
    output: str | None = None
    """With `{path}` and `{stem}` for what differs from file to file."""

    def request(self, path: bytes) -> dict[str, Any]:
        """The job that is made of the file at `path` below the folder."""
        place = f"media:{self.root}/{paths.to_text(self.below + path)}"
        fields = {"path": paths.to_text(path), "stem": paths.to_text(_stem(path))}
        goal = None if self.output is None else _FIELD.sub(lambda match: fields[match[1]], self.output)
        return {**self.job, "input": place, **({} if goal is None else {"output": goal})}

    @property
    def name(self) -> str:
        """Tells watches apart: the same folder may be watched for several scenarios."""
        text = b"\0".join((self.folder, str(self.job["scenario"]).encode()))
        return hashlib.sha256(text).hexdigest()[:16]

    def key(self, path: bytes, state: State) -> str:
        """The request's Idempotency-Key: the same however often this file is submitted."""
        what = f"{self.name} {state.inode} {state.modified} {state.size} ".encode() + path
        return f"watch-{hashlib.sha256(what).hexdigest()}"


def _stem(path: bytes) -> bytes:
    """The path without the last suffix of its name."""
    directory, slash, name = path.rpartition(b"/")
    stem, _, _ = name.rpartition(b".")
    return directory + slash + (stem or name)


class _StopError(BaseException):
    """A signal wants us to end. Wherever it comes, nothing is lost: see `Watch.key`."""


@dataclass(slots=True)
class _Loop:
    """One watch under way."""

    watch: Watch
    rules: Rules
    seen: Seen
    connect: Callable[[], MasterClient]
    said: Callable[[str, str], None]
    interval: float
    settling: Settling
    refused: dict[bytes, State] = field(default_factory=dict)
    """What the master will not take however often it is asked."""
    away: bool = False
    """Whether the folder could not be read when we looked last."""

    def run(self, *, once: bool) -> None:
        """Until a signal comes; with `once` until all that is there now has been submitted."""
        while True:
            for path, state in self._new():
                self._submit(path, state)
            if once and not self.settling.waiting():
                return
            time.sleep(self.interval)

    def _new(self) -> list[tuple[bytes, State]]:
        """What is whole and was not submitted yet."""
        try:
            found = [
                (path, state)
                for path, state in look(self.watch.folder, self.rules)
                if self.refused.get(path) != state and not self.seen.has(state)
            ]
        except OSError as error:
            if not self.away:
                click.echo(f"cannot read the folder: {error.strerror}; trying again", err=True)
            self.away = True
            return []
        self.away = False
        whole = self.settling.whole(found, time.monotonic())
        return [(p, s) for p, s in whole if not is_being_written(self.watch.folder + b"/" + p)]

    def _submit(self, path: bytes, state: State) -> None:
        pause, most = _PAUSES
        while True:
            try:
                job_id = self._ask(path, state)
            except _AwayError as error:
                click.echo(f"{error}; trying again in {pause:.0f} s", err=True)
                time.sleep(pause)
                pause = min(most, 2 * pause)
                continue
            if job_id is None:
                self.refused[path] = state
            else:
                self.seen.add(path, state, job_id)
                self.said(job_id, paths.to_text(path))
            return

    def _ask(self, path: bytes, state: State) -> str | None:
        """The id of the job that the file has become; None if the master refuses it for good."""
        try:
            client = self.connect()
            return str(client.submit(self.watch.request(path), self.watch.key(path, state))["id"])
        except requests.exceptions.SSLError as error:
            raise click.ClickException(explain(error)) from error
        except TrustError as error:
            raise click.ClickException(str(error)) from error
        except ApiError as error:
            if error.temporary:
                raise _AwayError(str(error)) from error
            if error.slug == "key_reused":  # by a watch with other parameters, before it was killed
                return str(error.problem.get("job_id"))
            if error.status in (401, 403):
                raise click.ClickException(str(error)) from error
            click.echo(f"{paths.to_text(path)} is not taken: {error}", err=True)
            return None
        except (OSError, requests.RequestException) as error:
            raise _AwayError("the master cannot be reached") from error


class _AwayError(Exception):
    """The master cannot take anything now."""


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
    help="What the nodes call DIR: the media root that it is, or a directory below one.",
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
            loop = _Loop(
                watched,
                Rules(options["pattern"], options["recursive"]),
                seen,
                settings["connect"],
                said,
                options["interval"],
                Settling(options["settle"]),
            )
            loop.run(once=options["once"])
    except SeenError as error:
        raise click.ClickException(str(error)) from error
    except _StopError:
        click.echo("Watching no longer; what was submitted is remembered.", err=True)
        return
    if loop.refused:
        raise click.ClickException(f"{len(loop.refused)} files were not taken")


def _watch(folder: Path, options: Mapping[str, Any]) -> Watch:
    """What the options ask for; a usage error if that cannot be."""
    if options["root"] is None:
        raise click.UsageError(
            "--media-root is missing: name the media root that nodes have this folder at (agent --media-root)"
        )
    root, _, below = options["root"].partition("/")
    prefix = os.fsencode(below.strip("/"))
    job = {
        "scenario": options["scenario"],
        "parameters": parameters(options["parameter"]),
        "priority": options["priority"],
        "constraints": {"labels": dict(map(pair, options["label"]))},
    }
    watched = Watch(
        os.fsencode(folder.resolve()), prefix + b"/" if prefix else b"", root, job, options["output"]
    )
    try:
        parse_media(watched.request(b"x.mov")["input"])
    except InputError as error:
        raise click.BadParameter(str(error), param_hint="--media-root") from error
    if options["output"] is not None:
        _check_output(watched)
    return watched


def _check_output(watched: Watch) -> None:
    try:
        parse_output(watched.request(b"x.mov")["output"])
    except InputError as error:
        raise click.BadParameter(str(error), param_hint="--output") from error
    if str(watched.output).startswith("media:") and not _FIELD.search(str(watched.output)):
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
