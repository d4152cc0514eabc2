"""The master's file store, as jobs use it: what they read comes through a cache, what they make goes up."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from agent.cache import Cache
from agent.inputs.rules import InputFailedError
from common.client import ApiError, MasterClient
from common.files_client import file_path
from common.media_types import media_type_of
from common.parts import Part, get_part
from common.transfers import BusyError, Patience, TransferError, get, hash_of, open_regular, put

PATIENCE = 600.0
"""Seconds without success after which a job gives a transfer up."""
_BUSY_PAUSE = 0.5
"""Seconds between two looks at whether another job has got the same file."""
_CODES = {"unknown_file": "input_missing", "wrong_range": "input_invalid"}
"""What the master's refusals mean for an input, by their slugs; others may be gone the next time."""


class EndedError(Exception):
    """Nobody waits for the transfer any more."""


class Files:
    """The file store, through one client and one cache; it may be used by several threads."""

    def __init__(self, client: MasterClient, cache: Cache, patience: float = PATIENCE) -> None:
        """`client` shows the node's credential. `patience`: see `PATIENCE`."""
        self._client, self._patience = client, patience
        self.cache = cache
        self.on_look: Callable[[bool], None] = lambda _: None
        """Is told of each file that a job asks for, whether it was in the cache."""
        self.on_part: Callable[[int], None] = lambda _: None
        """Is told how many bytes of a file were got that did not go into the cache."""

    def open(self, sha256: str, max_size: int, abort: threading.Event) -> int:
        """A descriptor of a stored file, whole and to read only.

        `InputFailedError` if it cannot be had; OSError if the agent cannot work.
        """
        with _as_failures():
            return self._opened(sha256, max_size, abort)

    def cached(self, sha256: str, abort: threading.Event) -> int | None:
        """As `open`, of a file that this machine has got before; None if it has not."""
        with _as_failures():
            descriptor = self.cache.open(sha256, _ender(abort))
        self.on_look(descriptor is not None)
        return descriptor

    def size(self, sha256: str, max_size: int, abort: threading.Event) -> int:
        """Bytes of a stored file that is not got; `InputFailedError` as of `open`."""
        size = self.part(sha256, 0, 1, abort).size
        _judge(size, max_size)
        return size

    def part(self, sha256: str, offset: int, length: int, abort: threading.Event) -> Part:
        """Bytes of a stored file, past the cache: see `get_part`. `InputFailedError` as of `open`."""
        with _as_failures():
            part = get_part(self._client, sha256, offset, length, self._waiting(abort), _ender(abort))
        self.on_part(len(part.data))
        return part

    def put(
        self,
        path: Path,
        job_id: str,
        abort: threading.Event,
        media_type: str | None = None,
        name: str | None = None,
    ) -> str:
        """Store what a job made that this node holds; its SHA-256.

        `media_type`: None: what its name says. `name`: None: that of `path`. `ApiError` if the master
        refuses (`files_full`), `TransferError` if the file changes meanwhile, `requests.RequestException`
        if the master cannot be reached, `EndedError` when `abort` is set; OSError if it cannot be read.
        """
        check = _ender(abort)
        with open_regular(path) as file:
            sha256, size = hash_of(file, check=check)
            # Names may be any bytes, JSON may not.
            name = os.fsencode(name or path.name).decode("utf-8", "replace")
            fields = {
                "sha256": sha256,
                "size": size,
                "name": name,
                "media_type": media_type or media_type_of(name),
                "job_id": job_id,
            }
            put(self._client, file, fields, self._waiting(abort), lambda _done, _all: check())
        return sha256

    def _opened(self, sha256: str, max_size: int, abort: threading.Event) -> int:
        check, waiting = _ender(abort), self._waiting(abort)
        looked = False
        while True:
            descriptor = self.cache.open(sha256, check)
            if not looked:
                looked = True
                self.on_look(descriptor is not None)
            try:
                if descriptor is None:
                    descriptor = self._got(sha256, max_size, waiting, check)
            except BusyError:
                waiting.wait(_BUSY_PAUSE)
            except FileExistsError:  # another job was quicker
                continue
            if descriptor is not None:
                return descriptor

    def _got(self, sha256: str, max_size: int, waiting: Patience, check: Callable[[], None]) -> int | None:
        """Get the file; what is larger than the whole cache stays no longer than it is open."""
        keep = True

        def judge(size: int) -> None:
            nonlocal keep
            _judge(size, max_size)
            keep = self.cache.make_room(sha256, size)

        path = self.cache.path(sha256)
        get(
            self._client,
            file_path(sha256),
            sha256,
            path,
            waiting,
            lambda _done, _all: check(),
            judge=judge,
        )
        descriptor = self.cache.take(sha256)
        if not keep:
            path.unlink(missing_ok=True)
        return descriptor

    def _waiting(self, abort: threading.Event) -> Patience:
        def pause(seconds: float) -> None:
            if abort.wait(seconds):
                raise EndedError

        return Patience(self._patience, pause)


def _judge(size: int, most: int) -> None:
    if size > most:
        raise InputFailedError(
            "input_invalid", f"the stored file is larger than {most} bytes (--max-input-size)"
        )


@contextmanager
def _as_failures() -> Iterator[None]:
    """What goes wrong when an input is got, as `InputFailedError`."""
    try:
        yield
    except EndedError as error:
        raise InputFailedError("input_unreachable", "the job was ended") from error
    except ApiError as error:
        code = _CODES.get(error.slug, "input_unreachable")
        raise InputFailedError(code, f"the master does not give the stored file: {error}") from error
    except TransferError as error:
        raise InputFailedError("input_unreachable", str(error)) from error
    except requests.RequestException as error:
        raise InputFailedError(
            "input_unreachable", "the master could not be reached for the stored file"
        ) from error


def _ender(abort: threading.Event) -> Callable[[], None]:
    def check() -> None:
        if abort.is_set():
            raise EndedError

    return check
