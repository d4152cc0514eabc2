"""All that a job made, from the file store into a directory, so that its playlists play from there."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from common import paths
from common.client import MasterClient
from common.files_client import artifact_path
from common.inputs import stored_file
from common.transfers import Patience, get, hash_of, open_regular
from master.operator.moving import PATIENCE, explained, progress, shown
from master.operator.tables import Answer, safe

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def is_id(text: str) -> bool:
    """Whether it is the id of a job, and not a hash."""
    return _ID.fullmatch(text) is not None


def get_all(client: MasterClient, job_id: str, directory: Path, *, overwrite: bool) -> Answer:
    """Get all files that the job made into `directory`; what is there already is left as it is.

    So the same command goes on where it was interrupted. click's errors: nothing was made, a part of it is
    not in the file store, or another file is in the way.
    """
    made = client.result(job_id).get("artifacts") or []
    if not made:
        raise click.ClickException(f"job {job_id} made no files that its result lists")
    away = [each for each in made if stored_file(each["location"] or "") is None]
    if away:
        where = away[0]["location"] or "on its node alone"
        raise click.ClickException(
            f"{len(away)} of the {len(made)} files of job {job_id} are not in the file store: "
            f"{safe(away[0]['path'])} is {safe(where)}; get others as {job_id}/PATH, or submit it with "
            "--output files"
        )
    targets = [(each, directory / _below(each["path"])) for each in made]
    got = [_get(client, job_id, each, target, overwrite=overwrite) for each, target in targets]
    return Answer(
        {"path": shown(directory, whole=True), "files": got},
        lambda: click.echo(os.fsencode(directory)),
    )


def _get(
    client: MasterClient, job_id: str, made: dict[str, Any], target: Path, *, overwrite: bool
) -> dict[str, Any]:
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            if _is_here(target, made):
                return {"path": made["path"], "sha256": made["sha256"], "size": made["size"]}
            if not overwrite:
                raise click.ClickException(
                    f"{shown(target, whole=True)} is another file; choose another directory with -o, or "
                    "--overwrite"
                )
        address = artifact_path(job_id, made["path"])
        with progress(f"Getting {safe(made['path'])}") as told:
            size = get(client, address, made["sha256"], target, Patience(PATIENCE), told, overwrite=overwrite)
    return {"path": made["path"], "sha256": made["sha256"], "size": size}


def _is_here(target: Path, made: dict[str, Any]) -> bool:
    with open_regular(target) as file:
        if os.fstat(file.fileno()).st_size != made["size"]:
            return False
        sha256: str = made["sha256"]
        return hash_of(file)[0] == sha256


def _below(path: str) -> Path:
    """The place below the directory. A node wrote the path: it must lead nowhere else."""
    try:
        names = paths.to_bytes(path).split(b"/")
    except paths.PathError:
        names = [b""]
    if any(name in (b"", b".", b"..") for name in names):
        raise click.ClickException(
            f"the result names a file {safe(path)!r}, which is no name below a directory; nothing is written"
        )
    return Path(os.fsdecode(b"/".join(names)))
