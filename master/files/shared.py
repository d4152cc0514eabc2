"""Uploads of several masters: a sender's pieces may come to any, and each goes on where the last one stood.

What counts is what lies in the directory. Each master remembers what it has hashed, and reads the rest.
How an upload ended is in `<id>.ended` for a while, for whoever asks another master.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.model import Now, UploadStatus
from common.trust import write_private
from master.files.store import ABOUT, Exclusive
from master.files.upload import Announced, Upload
from master.files.uploads import KEEP, PART, Uploads

_ENDED = ".ended"
_TOLD = 3600.0
"""Seconds for which it is known how an upload ended."""
_LEFT = 60.0
"""Seconds after which one that is whole, and that nobody made a file of, is read by who tidies."""
_ID = re.compile(r"[0-9a-f-]{36}", re.ASCII)


class SharedUploads(Uploads):
    """All uploads, also those that began at other masters."""

    def __init__(self, exclusive: Exclusive, *args: Any) -> None:
        """`exclusive`: over all masters; the rest as for `Uploads`."""
        self._exclusive = exclusive
        super().__init__(*args)

    @property
    def held(self) -> int:
        """Bytes of the store, whole or not."""
        return self._store.index.size + sum(_size(part) for part in self._directory.glob(f"*{PART}"))

    def begin(self, announced: Announced) -> Upload:
        """As `Uploads.begin`: the one that this sender began at any master."""
        with self._exclusive("uploads"):
            self._look()
            upload = super().begin(announced)
            return upload if self._is_known(upload) else super().begin(announced)

    def get(self, upload_id: str) -> Upload | None:
        """As `Uploads.get`, as it is now."""
        upload = super().get(upload_id)
        if upload is None and _ID.fullmatch(upload_id):
            upload = self._read(self._directory / f"{upload_id}{ABOUT}")
        return upload if upload is not None and self._is_known(upload) else None

    def tidy(self, now: Now) -> None:
        """As `Uploads.tidy`; by one master for all. What the others left behind is seen to as well."""
        self._look()
        with self._lock:
            known = list(self._open.values())
        for upload in known:
            age = _age(upload.part, now)
            if age is not None and age > KEEP:
                self.abandon(upload)
            elif age is not None and age > _LEFT and self._is_known(upload):
                self.nudge(upload)
        for path in self._directory.iterdir():
            alone = (
                path.suffix == _ENDED or not path.with_suffix(ABOUT if path.suffix == PART else PART).exists()
            )
            if alone and (_age(path, now) or 0.0) > _TOLD:
                path.unlink(missing_ok=True)

    def _load(self) -> None:
        """What is there may be just made by others; nothing is removed."""
        self._look()

    def _look(self) -> None:
        """Learn of those that were begun at other masters, and forget those that are gone."""
        there = {path.stem: path for path in self._directory.glob(f"*{ABOUT}")}
        with self._lock:
            known = list(self._open)
        for upload_id in known:
            if upload_id not in there:
                with self._lock:
                    self._open.pop(upload_id, None)
        for upload_id in there.keys() - set(known):
            self._read(there[upload_id])

    def _read(self, about: Path) -> Upload | None:
        """An upload that this master did not know of; None if there is none."""
        ended = about.with_suffix(_ENDED)
        try:
            document = json.loads((ended if ended.exists() else about).read_bytes())
            how = document.pop("ended", None)
            upload = Upload(about.stem, Announced(**document), about.with_suffix(PART))
        except (ValueError, TypeError, AttributeError, FileNotFoundError):
            return None
        with self._lock:
            if how is None:
                return self._open.setdefault(upload.id, upload)
        self._ends(upload, how)
        return upload

    def _is_known(self, upload: Upload) -> bool:
        """Whether it is still there, or is known how it ended; it is as it is now."""
        with self._alone(upload):
            return not upload.ended or upload.wrong or upload.entry is not None

    @contextmanager
    def _alone(self, upload: Upload) -> Iterator[None]:
        """Nobody else changes it meanwhile, and it is as it was left."""
        with upload.lock, self._exclusive(f"upload:{upload.id}"):
            if not upload.ended:
                self._learn(upload)
            yield

    def _learn(self, upload: Upload) -> None:
        try:
            document = json.loads(upload.part.with_suffix(_ENDED).read_bytes())
        except (ValueError, FileNotFoundError):
            pass
        else:
            self._ends(upload, document.get("ended"))
            return
        size = _size(upload.part)
        if not upload.part.exists():
            self._ends(upload, None)
            return
        if size < upload.hashed:  # what could not be written whole was taken back
            upload.digest, upload.hashed = hashlib.sha256(), 0
        upload.offset = size
        whole = size == upload.announced.size
        upload.status = UploadStatus.CHECKING if whole else UploadStatus.RECEIVING

    def _ends(self, upload: Upload, how: str | None) -> None:
        """Another master ended it: `stored`, or `wrong`; None: it is gone."""
        upload.ended, upload.wrong = True, how == "wrong"
        if how == UploadStatus.STORED:
            upload.status, upload.offset = UploadStatus.STORED, upload.announced.size
            upload.entry = self._store.get(upload.announced.sha256)
        with self._lock:
            self._open.pop(upload.id, None)

    def _clear(self, upload: Upload) -> None:
        """Whoever asks another master is told how it ended."""
        how = "wrong" if upload.wrong else UploadStatus.STORED.value if upload.entry is not None else None
        if how is not None:
            document = {**asdict(upload.announced), "ended": how}
            with suppress(OSError):  # then the sender begins again, and hears that the file is here
                write_private(upload.part.with_suffix(_ENDED), json.dumps(document).encode())
        super()._clear(upload)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _age(path: Path, now: Now) -> float | None:
    """Seconds since it was written to; None if it is not there."""
    try:
        return now.wall.timestamp() - path.stat().st_mtime
    except FileNotFoundError:
        return None
