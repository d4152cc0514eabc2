"""Whole files to and from a master's file store: in pieces, gone on with after any fault, hash checked.

Nothing needs to be remembered between two starts: the master knows how far an upload is, and a
download's unfinished file is named after what it will be.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import ssl
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import requests

from common.files_client import MAX_PIECE, FilesClient
from common.transport import ApiError
from common.trust import causes

Told = Callable[[int, int], None]
"""Told how far a transfer is: bytes done, and bytes in all."""
READ = 1024 * 1024
"""Bytes that are read at once, and hashed."""
_RECEIVE = 128 * 1024
"""Bytes that are received at once: what is not whole when a line breaks is got anew."""
_MIN_PIECE = 256 * 1024
"""Bytes of a piece on a line that breaks again and again: a piece that breaks is sent anew."""
_FIRST_PAUSE, _MAX_PAUSE = 0.5, 15.0
_CHECK_EVERY = 1.0
"""Seconds between two questions whether the master has read an upload once more."""
_BEGIN_AGAIN = ("wrong_offset", "unknown_upload")
"""What a sender hears who does not know how far the master is."""


class TransferError(Exception):
    """The file cannot be put or got; the text says why, and what to do."""


class BusyError(TransferError):
    """Another process gets the very same just now."""


class Patience:
    """How long faults are put up with, and the pauses between tries."""

    def __init__(
        self,
        seconds: float,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Give up `seconds` after the last success. `pause` may raise, to end it all."""
        self._seconds, self._pause, self._clock = seconds, pause, clock
        self.succeeded()

    def succeeded(self) -> None:
        """Something went well: all the patience is there again."""
        self._since = self._clock()
        self._next = _FIRST_PAUSE

    def failed(self, error: Exception) -> None:
        """Wait a little; or raise `error`, if it will not go away or it was waited long enough."""
        if isinstance(error, ApiError) and not error.temporary:
            raise error
        # Whom to trust does not change by itself; a TLS connection may break like any other.
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error)):
            raise error
        if self._clock() - self._since >= self._seconds:
            raise error
        self._pause(self._next)
        self._next = min(2 * self._next, _MAX_PAUSE)

    def wait(self, seconds: float) -> None:
        """Wait for something that goes well."""
        self._pause(seconds)


def put(
    client: FilesClient,
    file: BinaryIO,
    fields: Mapping[str, Any],
    patience: Patience,
    told: Told = lambda _done, _all: None,
) -> dict[str, Any]:
    """Store an open file as `fields` (its `sha256` and `size`, and what else is said of it); its document.

    `TransferError` if it changes meanwhile; `ApiError` if the master refuses;
    `requests.RequestException` if it cannot be reached; OSError if the file cannot be read.
    """
    most = MAX_PIECE
    upload: dict[str, Any] | None = None
    while True:
        try:
            if upload is None:
                upload = client.begin_upload(fields)
            told(upload["offset"], upload["size"])
            if upload["file"] is not None:
                stored: dict[str, Any] = upload["file"]
                return stored
            upload = _next(client, file, upload, most, patience)
        except (ApiError, requests.RequestException) as error:
            if isinstance(error, ApiError) and error.slug in _BEGIN_AGAIN:
                upload = None
                continue
            if isinstance(error, ApiError) and error.slug == "wrong_hash":
                raise TransferError("the file changed while it was sent; send it again") from error
            patience.failed(error)
            most = max(_MIN_PIECE, most // 2)
        else:
            patience.succeeded()
            most = min(MAX_PIECE, 2 * most)


def _next(
    client: FilesClient, file: BinaryIO, upload: dict[str, Any], most: int, patience: Patience
) -> dict[str, Any]:
    """The upload after one more step."""
    if upload["status"] == "checking":
        patience.wait(_CHECK_EVERY)
        return client.upload(upload["id"])
    offset, size = upload["offset"], upload["size"]
    piece = os.pread(file.fileno(), min(most, size - offset), offset)
    if not piece:
        client.abandon_upload(upload["id"])
        raise TransferError("the file became shorter while it was sent; send it again")
    return client.send_piece(upload["id"], offset, piece)


def open_regular(path: Path) -> BinaryIO:
    """A file to read; `TransferError` if it is a directory, a pipe or a device; OSError if it cannot be."""
    # A pipe that nobody writes to would be waited for.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        kind = "a directory" if stat.S_ISDIR(mode) else "no regular file"
        raise TransferError(f"{path} is {kind}; name a file")
    return os.fdopen(fd, "rb")


def hash_of(
    file: BinaryIO, told: Told = lambda _done, _all: None, check: Callable[[], None] = lambda: None
) -> tuple[str, int]:
    """SHA-256 and size of an open file, from its beginning. `check` is called now and then, and may raise."""
    digest, done, size = hashlib.sha256(), 0, os.fstat(file.fileno()).st_size
    file.seek(0)
    while piece := file.read(READ):
        check()
        digest.update(piece)
        done += len(piece)
        told(done, max(size, done))
    return digest.hexdigest(), done


def get(
    client: FilesClient,
    address: str,
    sha256: str,
    target: Path,
    patience: Patience,
    told: Told = lambda _done, _all: None,
    *,
    overwrite: bool = False,
    judge: Callable[[int], None] = lambda _size: None,
) -> int:
    """Get the content at `address` as the new file `target`, whole and synced; its size.

    `judge` is told the size before anything is written, and may raise. Until it is whole it is
    `.<sha256>.part` beside `target`, which the next try goes on with. FileExistsError if
    there is a `target` by then; `TransferError` if the content is wrong, or another process gets it just
    now; OSError if it cannot be written; else as `put`.
    """
    part = target.with_name(f".{sha256}.part")
    with _opened(part) as file:
        for again in (True, False):
            size = _Download(client, address, file, patience, told, judge).run(sha256)
            if size is not None:
                break
            file.truncate(0)
            if not again:
                part.unlink()
                raise TransferError(f"what the master sent has not the SHA-256 {sha256}; nothing is kept")
        file.flush()
        os.fsync(file.fileno())
        if overwrite:
            part.replace(target)
        else:
            os.link(part, target)  # unlike a rename, it replaces nothing
            part.unlink()
        _sync(target.parent)
    assert size is not None  # noqa: S101 - the loop ends with one, or raises
    return size


class _Download:
    """One try to get a whole file into `file`, which may have its beginning."""

    def __init__(
        self,
        client: FilesClient,
        address: str,
        file: BinaryIO,
        patience: Patience,
        told: Told,
        judge: Callable[[int], None],
    ) -> None:
        self._client, self._address, self._file = client, address, file
        self._patience, self._told, self._judge = patience, told, judge
        self._digest = hashlib.sha256()
        self._offset = 0

    def run(self, sha256: str) -> int | None:
        """The size; None if it came whole and is not what it should be."""
        self._take_up()
        while not self._is_whole():
            pass
        return self._offset if self._digest.hexdigest() == sha256 else None

    def _take_up(self) -> None:
        """Look at what an earlier try left."""
        self._file.seek(0)
        while piece := self._file.read(READ):
            self._digest.update(piece)
            self._offset += len(piece)

    def _is_whole(self) -> bool:
        """Get more; False after a fault."""
        try:
            with self._client.open_content(self._address, self._offset) as response:
                return self._receive(response)
        except ApiError as error:
            if error.slug == "wrong_range":  # all is here, or it is something else
                return True
            self._patience.failed(error)
        except requests.RequestException as error:
            self._patience.failed(error)
        return False

    def _receive(self, response: requests.Response) -> bool:
        if self._offset and response.status_code != requests.codes.partial_content:
            return self._begin_anew()
        size = self._offset + int(response.headers["Content-Length"])
        self._judge(size)
        for piece in response.iter_content(_RECEIVE):
            self._file.write(piece)
            self._digest.update(piece)
            self._offset += len(piece)
            self._patience.succeeded()
            self._told(self._offset, size)
        return self._offset == size

    def _begin_anew(self) -> bool:
        self._file.seek(0)
        self._file.truncate()
        self._digest, self._offset = hashlib.sha256(), 0
        return False


@contextmanager
def _opened(part: Path) -> Iterator[BinaryIO]:
    """The unfinished file, for one process at a time; an empty one is not left behind."""
    with _locked(part) as file:
        try:
            yield file
        finally:
            file.flush()
            if not os.fstat(file.fileno()).st_size:
                part.unlink(missing_ok=True)


def _locked(part: Path) -> BinaryIO:
    while True:
        file = part.open("a+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), part.stat()):
                return file
        except BlockingIOError:
            file.close()
            raise BusyError(f"another process gets {part} just now; wait until it is done") from None
        except FileNotFoundError:
            pass
        file.close()  # another process finished it in between


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
