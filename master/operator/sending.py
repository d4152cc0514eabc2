"""A file of a watched folder goes to the master's file store as it was found, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import requests

from common.client import ApiError, MasterClient
from common.transfers import Patience, TransferError, hash_of, open_regular, put
from master.operator.files import announcement
from master.operator.folder import State, is_being_written, state_of
from master.operator.moving import progress, shown

PATIENCE = 10.0
"""Seconds without success after which the master counts as away; the next try goes on where it ended."""


class ChangedError(Exception):
    """The file is not what it was when it was found to be whole, or it is gone."""


class LaterError(Exception):
    """It cannot be sent now; the text says why, in sentences."""


class Sender:
    """Sends files, and remembers the hashes of those that could not be sent yet."""

    def __init__(self) -> None:
        self._hashes: dict[State, str] = {}

    def send(self, client: MasterClient, path: bytes, expected: State) -> str:
        """Put the file into the store; its SHA-256.

        `ChangedError` if it is not `expected` now, or another when it has been sent: what was sent of it is
        abandoned then. `LaterError` if it cannot be read, or has no room in the store. `ApiError` and
        `requests.RequestException` as `put`.
        """
        name = Path(os.fsdecode(path))
        try:
            with open_regular(name) as file:
                return self._send(client, file, name, expected)
        except requests.RequestException:
            raise
        except FileNotFoundError as error:
            raise ChangedError from error
        except OSError as error:
            raise LaterError(f"It cannot be read: {error.strerror or error}.") from error
        except TransferError as error:
            # A hash that did not fit may be the disk's fault, or the way's: it is made anew.
            self.forget(expected)
            raise LaterError(f"It could not be sent: {error}.") from error
        except ApiError as error:
            if error.slug == "files_full":
                raise LaterError(str(error)) from error
            raise

    def forget(self, state: State) -> None:
        """Nothing of the file needs to be remembered any more."""
        self._hashes.pop(state, None)

    def _send(self, client: MasterClient, file: BinaryIO, name: Path, expected: State) -> str:
        check = _check(file, name, expected)
        check()
        sha256 = self._hashes.get(expected)
        if sha256 is None:
            with progress(f"Reading {shown(name)}") as told:
                sha256, _ = hash_of(file, told, check)
            check()
            self._hashes[expected] = sha256
        fields = announcement(name, sha256, expected.size)
        try:
            with progress(f"Sending {shown(name)}") as told:

                def sent(done: int, whole: int) -> None:
                    check()
                    told(done, whole)

                put(client, file, fields, Patience(PATIENCE), sent)
                check()
        except (ChangedError, TransferError) as error:
            self.forget(expected)
            if isinstance(error, ChangedError):
                _abandon(client, fields)
            check()
            raise
        if is_being_written(os.fsencode(name)):
            raise ChangedError
        return sha256


def _check(file: BinaryIO, name: Path, expected: State) -> Callable[[], None]:
    """Raises `ChangedError` if the open file, or what has its name now, is not `expected` any more."""

    def check() -> None:
        try:
            found = (state_of(os.fstat(file.fileno())), state_of(name.stat(follow_symlinks=False)))
        except FileNotFoundError as error:
            raise ChangedError from error
        if found != (expected, expected):
            raise ChangedError

    return check


def _abandon(client: MasterClient, fields: dict[str, object]) -> None:
    """Let go of what was sent of a file that is no more: it would take room for a day."""
    try:
        begun = client.begin_upload(fields)  # finds the upload that is under way
        if begun["id"] is not None:
            client.abandon_upload(begun["id"])
    except (ApiError, requests.RequestException):
        return  # the master removes it in time
