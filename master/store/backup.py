"""A backup: one file with all that a master needs to be the same master again, taken while it runs."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from common.model import Job, Node
from master.lifecycle import Record
from master.store import journal, segments, snapshot
from master.store.blocks import SUFFIX
from master.store.restored import MARKER

_FOLD_PATIENCE = 60.0  # seconds for a snapshot that is being made


class BackupError(Exception):
    """There is no backup; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What is in a backup that was read back."""

    size: int
    """Bytes of the file."""
    jobs: int
    nodes: int


def back_up(state_dir: Path, target: Path, now: datetime) -> Backup:
    """Write the new file `target` and read it back; all that was acknowledged before is in it.

    It gets its name when it is whole, on disk and sound. BackupError if it exists already;
    `JournalError` if the journal is damaged; OSError if something cannot be read or written.
    """
    if target.exists():
        raise BackupError(f"{target} exists already; choose another name, or remove it first")
    if not target.parent.is_dir():
        raise BackupError(f"there is no directory {target.parent}; make it first, or choose another")
    fd, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=journal.PART)
    unfinished = Path(name)
    try:
        with os.fdopen(fd, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", dereference=True) as archive:
                _write(archive, state_dir, now)
            file.flush()
            os.fsync(file.fileno())
        records = _read_back(unfinished, state_dir)
        try:
            os.link(unfinished, target)  # it never replaces a file, as a rename would
        except FileExistsError:
            raise BackupError(f"{target} was made by somebody else meanwhile; choose another name") from None
    finally:
        unfinished.unlink()
    journal.sync_directory(target.parent)
    jobs = sum(isinstance(record, Job) for record in records)
    nodes = sum(isinstance(record, Node) for record in records)
    return Backup(target.stat().st_size, jobs, nodes)


def _write(archive: tarfile.TarFile, state_dir: Path, now: datetime) -> None:
    archive.add(state_dir, ".", recursive=False)  # so that its mode and owner are restored too
    text = (
        f"This is a copy of {state_dir}, made at {now:%Y-%m-%dT%H:%M:%SZ}. The master that starts from it "
        "numbers new attempts above all that may have been given since, and removes this file.\n"
    )
    _add(archive, state_dir / "journal", MARKER, text.encode())
    archive.add(state_dir / "journal", "journal", recursive=False)
    with snapshot.alone(state_dir / "journal", _FOLD_PATIENCE):
        for path, data in _journal(state_dir / "journal"):
            _add(archive, path, f"journal/{path.name}", data)
    # After the journal: a job that leaves it for the archive of finished jobs is in one of them, or in both.
    # And what a fold takes from the journal for the audit likewise.
    for part in ("archive", "audit"):
        if (state_dir / part).exists():
            archive.add(state_dir / part, part, recursive=False)
        for path in sorted((state_dir / part).glob(f"*{SUFFIX}")):
            # A file that is replaced meanwhile only grows at its end: any beginning that was one is whole.
            with suppress(FileNotFoundError):  # it was just too old for the audit
                archive.add(path, f"{part}/{path.name}")
    for part in ("tls", "logs"):
        for path in sorted([state_dir / part, *(state_dir / part).rglob("*")]):
            _add_path(archive, path, path.relative_to(state_dir).as_posix())
    for secret in ("operator.token", "webhooks.key"):
        _add_path(archive, state_dir / secret, secret)


def _journal(directory: Path) -> Iterator[tuple[Path, bytes]]:
    """The snapshot and the segments that there are now; of the open one, what can be read of it."""
    path = directory / snapshot.NAME
    if path.exists():
        yield path, path.read_bytes()
    paths = segments.segments(directory)
    for path in paths:
        segment = segments.read_segment(path, last=path == paths[-1])
        yield path, path.read_bytes()[: segment.end]


def _add_path(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """Add a file or a directory as it is now, or nothing if it is gone: logs come and go."""
    try:
        if path.is_dir():
            archive.add(path, name, recursive=False)
        elif path.is_file():
            _add(archive, path, name, path.read_bytes())
    except FileNotFoundError:
        return


def _add(archive: tarfile.TarFile, like: Path, name: str, data: bytes) -> None:
    """Add `data` as a private file that belongs to the owner of `like`."""
    info = archive.gettarinfo(like, name)
    info.type, info.mode, info.size = tarfile.REGTYPE, 0o600, len(data)
    archive.addfile(info, io.BytesIO(data))


def _read_back(path: Path, state_dir: Path) -> Sequence[Record]:
    """The records that a master would find; every byte is read once."""
    with tempfile.TemporaryDirectory(dir=path.parent) as directory, tarfile.open(path, "r:gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            data = b"" if file is None else file.read()
            if member.isfile() and member.name.startswith("journal/"):
                (Path(directory) / Path(member.name).name).write_bytes(data)
        try:
            return snapshot.advance(Path(directory), snapshot.read(Path(directory))).records
        except journal.JournalError as error:
            raise BackupError(
                "what was copied cannot be read back, so no backup was made; "
                f"see what is wrong: ffrtmp journal check --state-dir {state_dir}"
            ) from error
