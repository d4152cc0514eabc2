r"""The paths of files as text that everybody can print, send and type: pure.

A path on Linux is bytes. Most are UTF-8 and stand for themselves; a byte that cannot be shown is
`\xHH`, and a backslash is `\\`. Each path has one spelling, so that two texts are the same path only if
they are the same text.
"""

from __future__ import annotations

import re

HIDDEN = re.compile("[\0-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What is never shown as it is: it would end a line, steer a terminal, or turn the text around it."""
_ESCAPED = re.compile(r"\\(?:\\|x([0-9a-f]{2}))|\\", re.ASCII)
_TO_ESCAPE = re.compile(f"{HIDDEN.pattern}|[\udc80-\udcff]|\\\\")


class PathError(ValueError):
    """The text is no path in its one spelling; the message says what is wrong with it."""


def to_text(path: bytes) -> str:
    """The one spelling of a path."""

    def escape(match: re.Match[str]) -> str:
        if match[0] == "\\":
            return r"\\"
        return "".join(f"\\x{byte:02x}" for byte in match[0].encode("utf-8", "surrogateescape"))

    return _TO_ESCAPE.sub(escape, path.decode("utf-8", "surrogateescape"))


def to_bytes(text: str) -> bytes:
    """The path that is spelled `text`; `PathError` if it is not a path's one spelling."""
    data, end = bytearray(), 0
    try:
        for match in _ESCAPED.finditer(text):
            data += text[end : match.start()].encode()
            data += _meant(match)
            end = match.end()
        data += text[end:].encode()
    except UnicodeEncodeError as error:
        raise PathError(r"half a character is in it; write a byte that is no UTF-8 as \xHH") from error
    path = bytes(data)
    if b"\0" in path:
        raise PathError("no path has a NUL in it")
    only = to_text(path)
    if only != text:
        raise PathError(f"it is not how that path is written; write {only}")
    return path


def _meant(match: re.Match[str]) -> bytes:
    if match[1] is not None:
        return bytes.fromhex(match[1])
    if match[0] == "\\":
        raise PathError(r"write a backslash as \\, and a byte that cannot be shown as \xHH, in small letters")
    return b"\\"
