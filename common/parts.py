"""Parts of a file in a master's file store, each gone on with after any fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import requests

from common.files_client import FilesClient, file_path
from common.transfers import Patience, TransferError
from common.transport import ApiError

_RECEIVE = 128 * 1024
"""Bytes that are received at once: what is not whole when a line breaks is got anew."""
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a file."""

    data: bytes
    size: int
    """Bytes of the whole file."""


def get_part(
    client: FilesClient,
    sha256: str,
    offset: int,
    length: int,
    patience: Patience,
    check: Callable[[], None] = lambda: None,
) -> Part:
    """The bytes from `offset` on: `length` of them, or as many as there are until the file's end.

    A part has no hash. That it is one of this file is the master's word, which hashed the file when it came.
    `check` is called now and then, and may raise. `TransferError` if what comes is something else;
    `ApiError` if the master refuses (`wrong_range`: there is nothing at `offset`);
    `requests.RequestException` if it cannot be reached.
    """
    got, end, size = bytearray(), offset + length, 0
    while not size or offset + len(got) < end:
        check()
        begin = offset + len(got)
        try:
            with client.open_content(file_path(sha256), begin, length - len(got)) as response:
                end, size = _promised(response, sha256, begin, offset + length)
                for piece in response.iter_content(_RECEIVE):
                    got += piece
                    if offset + len(got) > end:
                        raise TransferError("the master sent more of a stored file than it said")
                    patience.succeeded()
                    check()
            if offset + len(got) < end:
                patience.failed(TransferError("the master sent less of a stored file than it said"))
        except (ApiError, requests.RequestException) as error:
            patience.failed(error)
    return Part(bytes(got), size)


def _promised(response: requests.Response, sha256: str, begin: int, most: int) -> tuple[int, int]:
    """Where the answer's bytes end, and how many the whole file has. `TransferError` if it is another's."""
    said = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status_code != requests.codes.partial_content or said is None:
        raise TransferError("the master does not give parts of stored files; what is between it and us?")
    first, last, size = (int(number) for number in said.groups())
    if response.headers.get("ETag") != f'"{sha256}"':
        raise TransferError(f"the master sent a part of another file than {sha256}")
    if first != begin or last + 1 != min(most, size):
        raise TransferError("the master sent another part of a stored file than it was asked for")
    return last + 1, size
