"""Pure: what a client that speaks plain HTTP to the TLS port is told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from common import problems
from common.problems import Problem
from common.request_ids import REQUEST_ID_HEADER

MAX_HEAD = 8192
"""Bytes that a plain request's head may have."""

_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]{1,8000}) HTTP/1\.[01]\r?", re.ASCII)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_HOST_LINE = re.compile(rb"^host:[ \t]*([\x21-\x7e]+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?", re.ASCII)


class NotHttpError(Exception):
    """The bytes are no HTTP request, or its head is too long."""


def answer_plain(received: bytes, local: tuple[Any, ...], request_id: str) -> bytes | None:
    """The 308 to https for the request head in `received`; None while the head is not whole.

    `local` is the socket's own address, for clients that name no usable Host. Raises
    NotHttpError as soon as it is clear that the bytes are not a request.
    """
    line, newline, _ = received.partition(b"\n")
    if not re.match(rb"[A-Z]", received) or (newline and not _REQUEST_LINE.fullmatch(line)):
        raise NotHttpError
    end = _HEAD_END.search(received)
    if end is None or end.start() > MAX_HEAD:
        if len(received) >= MAX_HEAD:
            raise NotHttpError
        return None
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise NotHttpError
    host = _host(received[: end.start()], local)
    url = f"https://{host}{_path(match[2].decode('ascii'))}"
    problem = problems.USE_HTTPS(
        f"This port speaks HTTPS. Use {url} instead; with curl: curl -k https://{host}/health "
        "(-k, or --cacert with the master's ca.pem, because the master signs its own certificate).",
        location=url,
    )
    return render(problem, request_id, {"Location": url}, with_body=match[1] != b"HEAD")


def render(
    problem: Problem, request_id: str, headers: Mapping[str, str] | None = None, with_body: bool = True
) -> bytes:
    """A whole HTTP/1.1 answer that closes the connection. Header values must be clean."""
    body = json.dumps(problem.body(request_id)).encode() + b"\n"
    status = problem.type.status
    lines = {
        **(headers or {}),
        REQUEST_ID_HEADER: request_id,
        "Content-Type": problems.MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return head.encode("ascii") + b"\r\n" + (body if with_body else b"")


def _host(head: bytes, local: tuple[Any, ...]) -> str:
    """The Host header if it is one that can be repeated, else the local address."""
    named = _HOST_LINE.findall(head)
    if len(named) == 1 and _HOST.fullmatch(host := str(named[0], "ascii")):
        return host
    address = str(local[0]).partition("%")[0].removeprefix("::ffff:")
    return f"[{address}]:{local[1]}" if ":" in address else f"{address}:{local[1]}"


def _path(target: str) -> str:
    """The path and query of a request target, which may be a whole URL or `*`."""
    if target.startswith("/"):
        return target
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    path = parts.path if parts.scheme and parts.path.startswith("/") else "/"
    return f"{path}?{parts.query}" if parts.query else path
