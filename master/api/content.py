"""A stored file as an answer: whole or a part of it, read while it is sent, and harmless to a browser."""

from __future__ import annotations

from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import quote

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import FileWrapper

from common import problems
from common.fields import StrictString
from master.api.described import OCTETS, Header
from master.files import FileEntry

PIECE = 128 * 1024
"""Bytes that are read at once; the worker holds little more of an answer."""
RANGE = Header(
    "Range", StrictString(), "`bytes=FIRST-LAST`, counted from 0: that part only, with status 206."
)
_POLICY = "sandbox; default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'"
"""What a browser may do with a file that it opens by itself: show it."""
_SHOWN = (
    "video/",
    "audio/",
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/avif",
    "text/vtt",
    "text/plain",
    "text/csv",
    "application/json",
    "application/vnd.apple.mpegurl",
    "application/dash+xml",
    "application/gzip",
)
"""What is sent as what it is. All else might be a page or a script of whoever put it, run in our name."""


def content_response(entry: FileEntry, file: BinaryIO, media_type: str | None, name: str | None) -> Response:
    """The file, or the part of it that is asked for; `wrong_range` if it has no such part.

    It is closed when the answer is. `name`: what a browser saves it as; None: it may be shown.
    """
    response = Response(FileWrapper(file, PIECE), content_type=_harmless(media_type), direct_passthrough=True)
    response.call_on_close(file.close)
    response.content_length = entry.size
    response.set_etag(entry.sha256)
    if name is not None:
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Content-Security-Policy"] = _POLICY
    # It never changes; but who may have it does, so it is asked for anew each time.
    response.headers["Cache-Control"] = "private, no-cache"
    try:
        response.make_conditional(request.environ, accept_ranges=True, complete_length=entry.size)
    except RequestedRangeNotSatisfiable as error:
        file.close()
        raise problems.WRONG_RANGE(f"The file has {entry.size} bytes.", size=entry.size) from error
    if request.method == "HEAD" or response.status_code == HTTPStatus.NOT_MODIFIED:
        file.close()  # nobody reads it, so nobody closes it
    return response


def _harmless(media_type: str | None) -> str:
    return media_type if media_type is not None and media_type.lower().startswith(_SHOWN) else OCTETS
