"""Files are put, piece by piece, as a client without our code would; and content of a test's own."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import requests

from tests.api.corner import Corner, got
from tests.masters import Client


def content(size: int, seed: object = 0) -> bytes:
    """Bytes that no other test has, if it has another seed."""
    return random.Random(f"{seed}").randbytes(size)


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def begin(client: Client, data: bytes, **fields: Any) -> dict[str, Any]:
    """Announce `data`."""
    sent = {"sha256": sha256_of(data), "size": len(data), **fields}
    document: dict[str, Any] = got(client.post("/files", json=sent))
    return document


def send(client: Client, upload_id: str, offset: int, piece: bytes) -> requests.Response:
    headers = {"Content-Type": "application/octet-stream", "Upload-Offset": str(offset)}
    return client.patch(f"/files/uploads/{upload_id}", data=piece, headers=headers)


def store(client: Client, data: bytes, **fields: Any) -> dict[str, Any]:
    """Put `data`; the file's document."""
    begun = begin(client, data, **fields)
    if begun["file"] is None:
        begun = got(send(client, begun["id"], 0, data))
    file: dict[str, Any] = begun["file"]
    return file


def finish_with(corner: Corner, claimed: dict[str, Any], *artifacts: dict[str, Any]) -> None:
    """Report that an attempt made these."""
    got(corner.report(claimed, findings={"artifacts": list(artifacts)}))


def artifact(file: dict[str, Any], path: str, kind: str, media_type: str) -> dict[str, Any]:
    """What a result says of a stored file."""
    return {
        "path": path,
        "kind": kind,
        "media_type": media_type,
        "size": file["size"],
        "sha256": file["sha256"],
        "location": f"file:{file['sha256']}",
    }
