"""The endpoints of stored files; `common.transfers` puts and gets whole ones through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import requests

from common.transport import READ_TIMEOUT, Transport, id_in_path

OFFSET_HEADER = "Upload-Offset"
"""Where in the file a piece begins."""
MAX_PIECE = 8 * 1024 * 1024
"""Bytes that a piece may have."""


class FilesClient(Transport):
    """A master's file store. Errors: see `Transport`."""

    def begin_upload(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Announce a file; the answer says what is still to be sent. It may be sent again."""
        return self._call("POST", "/files", json=dict(fields))

    def send_piece(self, upload_id: str, offset: int, piece: bytes) -> dict[str, Any]:
        """The bytes of a file that begin at `offset`."""
        headers = {OFFSET_HEADER: str(offset), "Content-Type": "application/octet-stream"}
        return self._call("PATCH", f"/files/uploads/{id_in_path(upload_id)}", data=piece, headers=headers)

    def upload(self, upload_id: str) -> dict[str, Any]:
        """How far an upload is."""
        return self._call("GET", f"/files/uploads/{id_in_path(upload_id)}")

    def abandon_upload(self, upload_id: str) -> None:
        """End an upload; nothing of it stays."""
        self._call("DELETE", f"/files/uploads/{id_in_path(upload_id)}")

    def files(self, prefix: str = "") -> Iterator[dict[str, Any]]:
        """The files whose hash begins with `prefix`, page by page."""
        return self._pages("/files", "files", {"sha256": prefix} if prefix else {})

    def remove_file(self, sha256: str) -> None:
        """Take a file away."""
        self._call("DELETE", f"/files/{id_in_path(sha256)}")

    def open_content(self, path: str, offset: int = 0, length: int | None = None) -> requests.Response:
        """The content at `path` from `offset` on, to be read piece by piece and closed.

        `path`: see `file_path`, `artifact_path`; `length`: bytes that are wanted of it at most; None: all.
        """
        # As it is: what is compressed on the way could not be gone on with.
        headers = {"Accept-Encoding": "identity"}
        if length is not None:
            headers["Range"] = f"bytes={offset}-{offset + length - 1}"
        elif offset:
            headers["Range"] = f"bytes={offset}-"
        return self._answer("GET", path, headers=headers, stream=True, timeout=READ_TIMEOUT)


def file_path(sha256: str) -> str:
    """The address of a stored file."""
    return f"/files/{id_in_path(sha256)}"


def artifact_path(job_id: str, path: str) -> str:
    """The address of what a job made; `path` as its result names it."""
    return f"/jobs/{id_in_path(job_id)}/artifacts/{quote(path)}"
