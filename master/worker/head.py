"""Pure: reads the head of an ordinary request quickly. All others are for gunicorn's parser.

What is read here means the same to gunicorn, and nothing is accepted that it refuses: a test compares them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_HEAD = re.compile(
    # No `#`, and no second slash: what that means is not for here.
    rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/(?!/)[!\"$-~]*) HTTP/1\.1\r\n"
    rb"((?:[A-Za-z0-9!#$%&'*+.^`|~-]+:[\t -~\x80-\xff]*\r\n)+)\r\n"
)
_MOST = 8190
"""Bytes of a head; gunicorn bounds its lines."""
_MOST_FIELDS = 100
_NOT_HERE = frozenset({"HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_UPGRADE"})
"""They change how a request is to be read."""
_PLAIN = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}
_LENGTH = re.compile(r"[0-9]{1,15}", re.ASCII)
_keys: dict[str, str] = {}
"""Keys of fields in the environment, by the names that clients send; bounded."""
_MOST_KEYS = 512


@dataclass(frozen=True, slots=True)
class Head:
    """An ordinary head: HTTP/1.1, a length or no body, no field twice."""

    environ: dict[str, str]
    """What it adds to the WSGI environment."""
    length: int
    """Bytes of the body."""
    close: bool
    """Whether the client asks for no more on this connection."""


def read_head(data: bytes) -> Head | None:
    """None if it is not an ordinary one, or no head at all."""
    found = _HEAD.fullmatch(data) if len(data) <= _MOST else None
    if found is None:
        return None
    method, target = found[1].decode("ascii"), found[2].decode("ascii")
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "RAW_URI": target,
        "PATH_INFO": path if "%" not in path else unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
    }
    lines = found[3].decode("latin-1").split("\r\n")
    if len(lines) > _MOST_FIELDS:
        return None
    del lines[-1]  # behind the last line's end
    for line in lines:
        name, _, value = line.partition(":")
        key = _keys.get(name) or _key(name)
        if key in environ or key in _NOT_HERE:
            return None
        environ[key] = value.strip(" \t")
    length = environ.get("CONTENT_LENGTH", "0")
    if not _LENGTH.fullmatch(length):
        return None
    return Head(environ, int(length), environ.get("HTTP_CONNECTION", "").lower() == "close")


def _key(name: str) -> str:
    upper = name.upper()
    key = _PLAIN.get(upper) or "HTTP_" + upper.replace("-", "_")
    if len(_keys) < _MOST_KEYS:
        _keys[name] = key
    return key
