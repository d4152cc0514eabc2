"""`ffrtmp files`: what is kept in the master's file store."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path
from typing import Any

import click

from common.client import MasterClient
from common.files_client import artifact_path, file_path
from common.inputs import FILE
from common.media_types import media_type_of
from common.transfers import Patience, get, hash_of, open_regular, put
from master.operator import tables
from master.operator.artifacts import get_all, is_id
from master.operator.exits import UnknownError
from master.operator.moving import PATIENCE, explained, progress, shown
from master.operator.talk import talks

_HASH = re.compile(r"[0-9a-f]{4,64}", re.ASCII)
_UNSAFE = re.compile(r"[\0-\x1f\x7f/]")


@click.group()
def files() -> None:
    """Files that jobs read and make, in the master's store."""


@files.command("put")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@talks
def put_files(client: MasterClient, paths: tuple[Path, ...]) -> Any:
    """Store files, and print what jobs call them: file:SHA256.

    A transfer that breaks is gone on with, also by the same command later. What is there already is not sent.
    """
    stored = []
    for path in paths:
        with explained(path), open_regular(path) as file, progress(f"Reading {shown(path)}") as told:
            sha256, size = hash_of(file, told)
        fields = announcement(path, sha256, size)
        with explained(path), open_regular(path) as file, progress(f"Sending {shown(path)}") as told:
            stored.append(put(client, file, fields, Patience(PATIENCE), told))
    return tables.files_stored(stored)


@files.command("get")
@click.argument("name", metavar="SHA256|JOB_ID/PATH|JOB_ID")
@click.option(
    "-o", "--to", type=click.Path(path_type=Path), help="Where to write it.", show_default="its name, here"
)
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@talks
def get_file(client: MasterClient, name: str, to: Path | None, overwrite: bool) -> Any:
    """Get a file, by its hash (or the beginning of it), or what a job made, by the job's id and its path.

    With a job's id alone: all that it made, into a directory of that name. What is there already is not got
    again.
    """
    if is_id(name):
        return get_all(client, name, to or Path(name), overwrite=overwrite)
    address, sha256, called = _artifact(client, name) if "/" in name else _stored(client, name)
    target = to or Path(called)
    if target.is_dir():
        target /= called
    if target.exists() and not overwrite:
        raise click.ClickException(f"{target} exists already; choose another name with -o, or --overwrite")
    with explained(target), progress(f"Getting {called}") as told:
        size = get(client, address, sha256, target, Patience(PATIENCE), told, overwrite=overwrite)
    return tables.Answer(
        {"path": shown(target, whole=True), "sha256": sha256, "size": size},
        lambda: click.echo(os.fsencode(target)),
    )


@files.command("list")
@click.option("--limit", type=click.IntRange(1), default=50, help="How many at most.")
@talks
def list_files(client: MasterClient, limit: int) -> Any:
    """Files that are stored."""
    return tables.files(islice(client.files(), limit))


@files.command("rm")
@click.argument("names", metavar="SHA256...", nargs=-1, required=True)
@talks
def remove_files(client: MasterClient, names: tuple[str, ...]) -> Any:
    """Remove files by their hashes, or the beginnings of them."""
    found = [_one(client, name)["sha256"] for name in names]
    for sha256 in found:
        client.remove_file(sha256)
    return tables.Answer(
        [{"sha256": sha256} for sha256 in found],
        lambda: click.echo("\n".join(f"{FILE}{sha256} is removed." for sha256 in found)),
        name="sha256",
    )


def announcement(path: Path, sha256: str, size: int) -> dict[str, Any]:
    """What the master is told of a file that it is to store."""
    said = {"sha256": sha256, "size": size, "name": shown(path)[-255:]}
    media_type = media_type_of(path.name)
    return said if media_type is None else {**said, "media_type": media_type}


def _stored(client: MasterClient, name: str) -> tuple[str, str, str]:
    """Address, hash and name of a stored file."""
    found = _one(client, name)
    return file_path(found["sha256"]), found["sha256"], _plain(found["name"]) or found["sha256"]


def _artifact(client: MasterClient, name: str) -> tuple[str, str, str]:
    """Address, hash and name of what a job made."""
    job_id, _, path = name.partition("/")
    made = client.result(job_id).get("artifacts") or []
    found = next((artifact for artifact in made if artifact["path"] == path), None)
    if found is None:
        raise click.ClickException(
            f"job {job_id} made no {path!r}; ffrtmp results {job_id} shows what it made"
        )
    return artifact_path(job_id, path), found["sha256"], _plain(path.rpartition("/")[2]) or found["sha256"]


def _one(client: MasterClient, name: str) -> dict[str, Any]:
    """The one file whose hash begins so."""
    prefix = name.removeprefix(FILE).lower()
    if not _HASH.fullmatch(prefix):
        raise click.BadParameter(f"{name!r} is no SHA-256, nor 4 or more of its first digits")
    found = list(islice(client.files(prefix), 2))
    if not found:
        raise UnknownError(f"there is no file {prefix} here; ffrtmp files list shows what there is")
    if len(found) > 1:
        raise UnknownError(f"several files begin with {prefix}; write more of the hash")
    return found[0]


def _plain(name: str | None) -> str | None:
    """A name that can be written here, whatever somebody called the file; None if it is none."""
    last = (name or "").rpartition("/")[2]
    return None if last in ("", ".", "..") or _UNSAFE.search(last) else last
