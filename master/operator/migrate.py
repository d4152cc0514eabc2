"""`ffrtmp migrate`: move all records from one store to another, while no master runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from common.clock import system_clock
from master.operator.formats import Answer
from master.operator.state import as_owner
from master.operator.talk import show
from master.store.journal import JournalError, JournalFullError
from master.store.moving import left
from master.store.moving.directory import Directory
from master.store.moving.move import Moved, MoveError, Place, move
from master.store.urls import has_password, is_database

Command = TypeVar("Command", bound=Callable[..., Any])

NO_RECORDS = {
    "tls/ca-key.pem": "the CA and its key",
    "operator.token": "the operator token",
    "webhooks.key": "the key of webhooks",
    "webhooks.db": "how far webhooks were told",
    "files": "stored files",
    "logs": "logs of jobs",
    "archive": "the archive",
}
"""What else a master has in its state directory, and what that is."""


def _place(_: click.Context, __: click.Parameter, value: str) -> Place:
    if not is_database(value):
        return Directory(Path(value))
    if has_password(value):
        raise click.BadParameter(
            "everybody on this machine can read a command line: put the password into a file (PGPASSFILE), "
            "or into PGPASSWORD"
        )
    try:
        from master.store.postgres.database import Database  # few need it, or have what it needs
    except ImportError as error:
        raise click.BadParameter(
            f"it needs {error.name}, which is not installed: pip install 'ffmpeg-rtmp[postgresql]'"
        ) from error
    return Database(value)


def _place_option(flag: str, name: str, says: str) -> Callable[[Command], Command]:
    return click.option(flag, name, required=True, metavar="DIR|URL", callback=_place, help=says)


@click.command("migrate")
@_place_option("--from", "source", "Where the records are: a state directory, or postgresql://…")
@_place_option("--to", "target", "Where they are to be: the other of the two, which must be empty.")
@click.pass_obj
def migrate_command(settings: dict[str, Any], source: Place, target: Place) -> None:
    """Move all records and the whole history from one store to another, while no master runs.

    All of it, or nothing; it is read back and compared. If it is interrupted, the same command goes on. No
    master starts from the old place any more.
    """
    with _clear_errors(), _as_owner(source, target):
        moved = move(source, target, system_clock().wall)
        lines = [*_done(source, target, moved), *_rest(source, target)]
    document = {
        "from": source.name,
        "to": target.name,
        "before": moved.before,
        **asdict(moved.contents),
        "kept": _kept(source),
    }
    show(Answer(document, lambda: click.echo("\n".join(lines))), settings)


def _done(source: Place, target: Place, moved: Moved) -> Iterator[str]:
    found = moved.contents
    what = (
        f"{_count(found.jobs, 'job')} ({_count(found.results, 'result')}), {_count(found.nodes, 'node')}, "
        f"{_count(found.tokens, 'token')}, {_count(found.webhooks, 'webhook')} and "
        f"{_count(found.events, 'event')} of the history"
    )
    if moved.before:
        yield f"All had been moved from {source.name} to {target.name} before: {what}."
    else:
        yield f"Moved from {source.name} to {target.name}: {what}."
    yield f"Read back, it is the same: sha256 {found.sha256}."


def _rest(source: Place, target: Place) -> Iterator[str]:
    """What the operator does now."""
    if kept := _kept(source):
        yield f"What was moved is kept as {' and '.join(kept)}; remove that when all is well."
    elif not isinstance(source, Directory):
        yield f"The tables of {source.name} are kept, but no master starts from them any more."
    if isinstance(target, Directory):
        yield f"Start the master with --state-dir {target.name}" + _without_store(target)
    elif isinstance(source, Directory):
        there = [text for name, text in NO_RECORDS.items() if _has_files(source.path / name)]
        stays = f"; there are still {', '.join(there)}" if there else ""
        yield f"Start the master with --store, and with --state-dir {source.name}{stays}."


def _without_store(target: Directory) -> str:
    missing = [name for name in NO_RECORDS if not _has_files(target.path / name)]
    if "tls/ca-key.pem" not in missing:
        return ", and without --store."
    return (
        ", and without --store. What is no record was not moved: if the master had another --state-dir, or a "
        f"--shared-dir, copy {', '.join(missing)} from there first (docs/scaling.md)."
    )


def _has_files(path: Path) -> bool:
    return path.is_file() or any(each.is_file() for each in path.rglob("*"))


def _kept(source: Place) -> list[str]:
    return [str(path) for path in left.kept(source.path)] if isinstance(source, Directory) else []


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@contextmanager
def _as_owner(*places: Place) -> Iterator[None]:
    """As root, act as the owner of the state directory: else its master could not open what is made there."""
    with ExitStack() as stack:
        for place in places:
            if isinstance(place, Directory) and place.path.exists():
                stack.enter_context(as_owner(place.path))
                break
        yield


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Whatever goes wrong is one line."""
    try:
        yield
    except (MoveError, JournalError, JournalFullError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'the disk'}: {error.strerror}") from error
