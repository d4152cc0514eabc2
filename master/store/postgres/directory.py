"""The directory that the masters of a farm share: all of them name the same one, and no other farm's.

The farm's id is in the database and in the directory. Whoever comes first writes it there.
"""

from __future__ import annotations

from pathlib import Path

from psycopg import Connection
from psycopg.rows import TupleRow

from common.trust import write_private
from master.store.errors import StoreError

NAME = "farm.id"


def agree(connection: Connection[TupleRow], directory: Path | None, *, first: bool) -> None:
    """`StoreError` if this master, which names `directory`, does not fit those that use the database.

    To be asked by one master at a time. `first`: whether there are no others. OSError if it cannot write.
    """
    [(farm_id, has_directory)] = connection.execute("select id::text, has_directory from farm").fetchall()
    if directory is None:
        _check_alone(farm_id, has_directory=has_directory, first=first)
        return
    if not (first or has_directory):
        raise StoreError(
            "another master uses the database of --store, and without --shared-dir: stop that one, move what "
            "it keeps to the shared directory (docs/scaling.md says how), and start it with --shared-dir too"
        )
    found = _written(directory)
    if found is None and not has_directory:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(directory / NAME, f"{farm_id}\n".encode())
    elif found != farm_id:
        raise StoreError(_not_ours(directory, found, farm_id))
    if not has_directory:
        connection.execute("update farm set has_directory = true")


def _check_alone(farm_id: str, *, has_directory: bool, first: bool) -> None:
    if has_directory:
        raise StoreError(
            "the masters of this farm share a directory: name it with --shared-dir; it is the one whose file "
            f"{NAME} has {farm_id} in it"
        )
    if not first:
        # What is in the state directory is no other master's: files, archive, certificates.
        raise StoreError(
            "another master uses the database of --store. Stop that one; or let both share what they keep in "
            "a directory that both see, and start each with --shared-dir (docs/scaling.md)"
        )


def _written(directory: Path) -> str | None:
    try:
        return (directory / NAME).read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None


def _not_ours(directory: Path, found: str | None, farm_id: str) -> str:
    if found is None:
        return (
            f"{directory} is not the directory that the masters of this farm share: it has no file {NAME}. "
            "Is it mounted? If that directory is lost, restore it, or begin with an empty one: write "
            f"{farm_id} into {directory / NAME}"
        )
    return (
        f"{directory} is another farm's: its file {NAME} has {found} in it, and the database of --store "
        f"belongs to {farm_id}. Name the right one. If no other farm uses it, as after the database was made "
        f"anew, write {farm_id} into {directory / NAME}"
    )
