"""The commands that work on a master's state directory itself, on its machine: no HTTP here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from common.clock import system_clock
from common.model import Job, JobStatus, Node, Token, Webhook
from common.options import state_directory
from master.errors import StartError
from master.lifecycle.events import RecordKey
from master.operator.formats import Answer
from master.operator.talk import show
from master.store import snapshot
from master.store.backup import BackupError, back_up
from master.store.journal import JournalError
from master.store.repair import repair
from master.store.salvage import FileState, Kind, Salvage, salvage

_FOLD_PATIENCE = 60.0  # seconds for a snapshot that is being made
_SHOWN = 20  # jobs or nodes that are listed for people; programs get all

state_dir_option = click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: state_directory("master"),
    show_default="~/.local/state/ffmpeg-rtmp/master",
    envvar="FFRTMP_STATE_DIR",
    help="The master's.",
)


@click.group()
def journal() -> None:
    """The master's queue on disk: is it sound, and if not, what can be saved?"""


@journal.command("check")
@state_dir_option
@click.pass_obj
def check_command(settings: dict[str, Any], state_dir: Path) -> None:
    """Read the journal and say what is in it; exit status 1 if it is damaged.

    It changes nothing, and the master may be running.
    """
    with _clear_errors(), snapshot.alone(_journal_of(state_dir), _FOLD_PATIENCE):
        found = salvage(_journal_of(state_dir))
    advice = f"Stop the master, then save what can be saved: ffrtmp journal repair --state-dir {state_dir}"
    _show(settings, _document(found), [*_explained(found), *([] if found.sound else [advice])])
    if not found.sound:
        raise SystemExit(1)


@journal.command("repair")
@state_dir_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def repair_command(settings: dict[str, Any], state_dir: Path, yes: bool) -> None:
    """Keep a damaged journal aside, and write one with all that can be saved. Stop the master first."""
    from master.runtime import lock_state  # it brings all of the master with it

    with _clear_errors(), as_owner(state_dir):
        directory = _journal_of(state_dir)
        try:
            lock = lock_state(state_dir, patience=0)
        except StartError as error:
            raise click.ClickException(f"stop the master first, if it runs: {error}") from error
        with snapshot.alone(directory, _FOLD_PATIENCE):
            found = salvage(directory)
            if found.sound:
                _show(settings, _document(found), ["The journal is sound; there is nothing to repair."])
                return
            if not yes:
                click.echo("\n".join(_explained(found)), err=True)
                click.confirm("Write a journal with what can be saved?", abort=True, err=True)
            kept = repair(directory, found, system_clock().wall)
        os.close(lock)
    done = [
        *(_explained(found) if yes else ()),
        f"Repaired: {_saved(found)} are saved. The damaged journal is kept in {kept}",
    ]
    _show(settings, {**_document(found), "kept": str(kept)}, done)


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@state_dir_option
@click.pass_obj
def backup_command(settings: dict[str, Any], file: Path, state_dir: Path) -> None:
    """Write all that the master is into FILE (tar.gz), while it runs or not, and read it back.

    Whoever has that file is the master: it holds the CA's key and the operator token.
    """
    _journal_of(state_dir)
    with _clear_errors():
        made = back_up(state_dir, file, system_clock().wall)
    document = {"file": str(file), "bytes": made.size, "jobs": made.jobs, "nodes": made.nodes}
    _show(settings, document, [f"Backed up and read back: {_counted(made.jobs, made.nodes)} in {file}."])


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Whatever goes wrong is one line."""
    try:
        yield
    except (BackupError, JournalError, StartError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'the disk'}: {error.strerror}") from error


@contextmanager
def as_owner(state_dir: Path) -> Iterator[None]:
    """As root, act as the owner of the state directory: else the master could not open what is made there."""
    if os.geteuid() != 0 or not state_dir.exists():
        yield
        return
    owner = state_dir.stat()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def _journal_of(state_dir: Path) -> Path:
    directory = state_dir / "journal"
    if not directory.is_dir():
        raise click.ClickException(
            f"there is no journal in {state_dir}; name the master's state directory with --state-dir"
        )
    return directory


def _show(settings: dict[str, Any], document: Any, lines: Iterable[str]) -> None:
    text = "\n".join(lines)
    show(Answer(document, lambda: click.echo(text)), settings)


def _document(found: Salvage) -> dict[str, Any]:
    return {
        "sound": found.sound,
        "files": [
            {
                "name": file.name,
                "format": file.format,
                "entries": file.entries,
                "torn_bytes": file.torn,
                "missing": file.missing,
                "damage": [{"offset": hole.offset, "bytes": len(hole.data)} for hole in file.damage],
            }
            for file in found.files
        ],
        "transactions": {"before": found.before, "behind": found.behind, "fitting": found.kept},
        "jobs": [{"id": i, "becomes": _becomes(found, (Job, i))} for i in _touched(found, Job)],
        "nodes": [{"id": i, "becomes": _becomes(found, (Node, i))} for i in _touched(found, Node)],
        "tokens": [{"id": i, "becomes": _becomes(found, (Token, i))} for i in _touched(found, Token)],
        "webhooks": [{"id": i, "becomes": _becomes(found, (Webhook, i))} for i in _touched(found, Webhook)],
    }


def _explained(found: Salvage) -> Iterator[str]:
    for file in found.files:
        yield f"{file.name}: {_described(file)}"
    if found.sound:
        yield f"The journal is sound: {_saved(found)}."
        return
    yield "The journal is damaged. What can be saved:"
    yield f"  transactions before the damage: all {found.before}"
    yield f"  whole transactions behind it: {found.kept} of {found.behind} still fit"
    yield f"  in all: {_saved(found)}"
    for title, kind in (("Jobs", Job), ("Nodes", Node), ("Tokens", Token), ("Webhooks", Webhook)):
        ids = _touched(found, kind)
        if ids:
            yield f"{title} that something was lost of, as far as can be told:"
            yield from (f"  {i}: {_becomes(found, (kind, i))}" for i in ids[:_SHOWN])
            if len(ids) > _SHOWN:
                yield f"  and {len(ids) - _SHOWN} more (-o json lists all)"
    yield (
        "A job whose end was lost runs again. One whose submission was lost is gone: submit it again. "
        "A node that was lost registers again by itself, and may have to be approved again. "
        "A node or token whose revocation was lost is valid again: revoke it again."
    )


def _described(file: FileState) -> str:
    if file.missing:
        return "missing"
    what = "records" if file.name == snapshot.NAME else "transactions"
    parts = [f"format {file.format or 'unknown'}", f"{file.entries} {what}"]
    parts += [f"damaged at offset {hole.offset} ({len(hole.data)} bytes)" for hole in file.damage]
    if file.torn:
        parts.append(f"{file.torn} bytes of an unfinished record (harmless: nobody was told of it)")
    return ", ".join(parts)


def _saved(found: Salvage) -> str:
    kinds = [kind for kind, _ in found.records]
    return _counted(kinds.count(Job), kinds.count(Node))


def _counted(jobs: int, nodes: int) -> str:
    return f"{jobs} {'job' if jobs == 1 else 'jobs'} and {nodes} {'node' if nodes == 1 else 'nodes'}"


def _touched(found: Salvage, kind: Kind) -> list[str]:
    return sorted(identifier for each, identifier in found.touched if each is kind)


def _becomes(found: Salvage, key: RecordKey) -> str:
    """What a job, node, token or webhook will be that something was lost of."""
    record = found.records.get(key)
    if record is None:
        return "gone"
    if not isinstance(record, Job):
        return "kept as it was"
    if record.status is JobStatus.RUNNING:
        return "running: it runs again unless its node reports"
    return str(record.status)


COMMANDS: tuple[click.Command, ...] = (journal, backup_command)
