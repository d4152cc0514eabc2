"""Fetches an object from a store such as S3, through fsspec, under the same rules as a file over HTTP.

A job names a bucket and a key. Which server that is, and with what credentials it is asked, is the
node's own matter: the standard settings of its store (for S3 `AWS_*` and `~/.aws`), never a job's.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from agent.inputs.fetch import CONNECT_TIMEOUT, MIN_RATE, READ_TIMEOUT, Surroundings, judged
from agent.inputs.rules import InputFailedError, InputRules
from common.inputs import InputError, StoredObject, parse_url

_CHUNK = 4 * 1024 * 1024
_AHEAD = 2
"""Chunks in memory that have not been written yet."""
_TICK = 0.2
"""Seconds between looks at what may end a transfer."""
_TALKATIVE = ("aiobotocore", "botocore", "fsspec", "s3fs")
"""What would log requests with their signatures, where the agent logs everything."""
_WORLD = Surroundings()


@dataclass(frozen=True, slots=True)
class _Store:
    """How one kind of store is reached."""

    filesystem: Any
    """fsspec's."""
    endpoint: Callable[[], str]
    """The URL of its server, as its settings have it."""


def fetch_object(
    wanted: StoredObject,
    rules: InputRules,
    into: BinaryIO,
    abort: threading.Event,
    world: Surroundings = _WORLD,
    chunk: int = _CHUNK,
) -> int:
    """Write the object to `into`; its size in bytes.

    `InputFailedError` if it cannot be had, or `abort` was set meanwhile. OSError if it cannot be written.
    """
    rules.check(wanted.origin)
    transfer = _Transfer(wanted, rules, world, chunk)
    thread = threading.Thread(target=transfer.read, name="object-read", daemon=True)
    thread.start()
    begun, got = world.clock(), 0
    try:
        while True:
            with suppress(queue.Empty):
                piece = transfer.pieces.get(timeout=_TICK)
                if isinstance(piece, BaseException):
                    raise _failure(piece, wanted) from piece
                if not piece:
                    break
                got += len(piece)
                if got > rules.max_size:
                    raise too_large(wanted, rules.max_size)
                into.write(piece)
            if abort.is_set():
                raise InputFailedError("input_unreachable", f"{wanted.place} is not wanted any more")
            if world.clock() - begun > world.grace + got / MIN_RATE:
                raise InputFailedError(
                    "input_unreachable", f"{wanted.place} was too slow: {got} bytes so far"
                )
    finally:
        transfer.over.set()
    if got != transfer.size:
        raise InputFailedError("input_unreachable", f"{wanted.place} did not give the object: it ended early")
    return got


def too_large(wanted: StoredObject, max_size: int) -> InputFailedError:
    """It may not be fetched."""
    return InputFailedError(
        "input_invalid", f"the object in {wanted.place} is larger than {max_size} bytes (--max-input-size)"
    )


class _Transfer:
    """Reads ahead in a thread of its own: who waits for a slow store cannot look at the clock."""

    def __init__(self, wanted: StoredObject, rules: InputRules, world: Surroundings, chunk: int) -> None:
        self.pieces: queue.Queue[bytes | BaseException] = queue.Queue(_AHEAD)
        """What was read, at last an empty piece; or why that failed."""
        self.size: int | None = None
        """Bytes, as the store says before it gives any."""
        self.over = threading.Event()
        """Nobody takes any more of them."""
        self._wanted, self._rules, self._world, self._chunk = wanted, rules, world, chunk

    def read(self) -> None:
        """All of the object."""
        try:
            store = _store(self._wanted.scheme)
            self._judge(store)
            path = f"{self._wanted.bucket}/{self._wanted.key}"
            self.size = self._check(int(store.filesystem.info(path)["size"]))
            # Without a cache each read is one request; it asks for the version that the first one saw.
            with store.filesystem.open(path, "rb", cache_type="none", block_size=self._chunk) as file:
                while piece := file.read(self._chunk):
                    if not self._give(piece):
                        return
            self._give(b"")
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
            self._give(error)

    def _check(self, size: int) -> int:
        """The size, if it may be that."""
        if size > self._rules.max_size:
            raise too_large(self._wanted, self._rules.max_size)
        if size == 0:
            raise InputFailedError("input_invalid", f"the object in {self._wanted.place} is empty")
        return size

    def _give(self, piece: bytes | BaseException) -> bool:
        """Whether it was taken."""
        while not self.over.is_set():
            with suppress(queue.Full):
                self.pieces.put(piece, timeout=_TICK)
                return True
        return False

    def _judge(self, store: _Store) -> None:
        """Raises unless the store's server may be talked to, as any other."""
        endpoint = store.endpoint()
        try:
            url = parse_url(endpoint)
        except InputError as error:
            raise InputFailedError(
                "input_refused", f"the node's endpoint for {self._wanted.scheme} is no URL: {error}"
            ) from error
        judged(url, self._rules, self._world)


def _store(scheme: str) -> _Store:
    """`input_refused` if this agent was installed without what it needs for that."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        import s3fs  # type: ignore[import-untyped]  # it publishes no type information
    except ImportError as error:
        raise InputFailedError(
            "input_refused",
            f"this node cannot fetch from {scheme}://; its operator has to install the extra s3",
        ) from error
    # One for each transfer: credentials may have been replaced since the last one.
    filesystem = s3fs.S3FileSystem(
        skip_instance_cache=True,
        use_listings_cache=False,
        config_kwargs={
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": READ_TIMEOUT,
            "retries": {"max_attempts": 2},
        },
    )
    return _Store(filesystem, lambda: str(filesystem.s3.meta.endpoint_url))


def _failure(error: BaseException, wanted: StoredObject) -> BaseException:
    """What an error of fsspec means. Its text is not told: it is not known what it holds."""
    name = type(error).__name__
    if isinstance(error, InputFailedError):
        return error
    if isinstance(error, FileNotFoundError):
        return InputFailedError("input_missing", f"there is no such object in {wanted.place}")
    if isinstance(error, PermissionError) or "Credential" in name or "Token" in name:
        return InputFailedError(
            "input_refused", f"{wanted.place} may not be read with the credentials of this node ({name})"
        )
    if name == "FileExpired":
        return InputFailedError("input_unreachable", f"the object in {wanted.place} was replaced meanwhile")
    return InputFailedError("input_unreachable", f"{wanted.place} did not give the object ({name})")
