"""Live streams, in and out: the one grammar, pure.

    rtmp://live.example.com/app/key            RTMP, port 1935
    rtmps://live.example.com/app/key           RTMP in TLS, port 443
    srt://live.example.com:9000?streamid=key   SRT, as the caller

What names a stream at its server (the key, the stream id) is a secret: who has it may publish there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from common.inputs import MAX_URL, InputError, Origin, parse_origin

SRT_LATENCY = (20, 8000)
"""Milliseconds that may be asked for."""
HIDDEN = "***"
_STREAM = re.compile(r"(rtmps?|srt)://", re.ASCII | re.IGNORECASE)
_URL = re.compile(r"(rtmps?|srt)://([^/?#]*)(/[^?#]*)?(\?[^#]*)?", re.ASCII | re.IGNORECASE)
_PLAIN = re.compile(r"[!-~]+", re.ASCII)
"""What all of a URL is: ASCII that can be seen."""
_SECRET = re.compile(r"((?:rtmps?|srt)://[^\s/?#]*)([^\s'\"]*)", re.ASCII | re.IGNORECASE)
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_STREAM_ID, _PASSPHRASE = 512, (10, 79)
"""Bytes that SRT takes."""


@dataclass(frozen=True, slots=True)
class RtmpStream:
    """A stream at an RTMP server."""

    origin: Origin
    app: str
    """The application, as the server calls it: all of the path but its last name."""
    key: str = field(repr=False)
    """A secret: the last name of the path, with the query."""

    @property
    def place(self) -> str:
        """What a node must be able to reach."""
        return str(self.origin)

    @property
    def url(self) -> str:
        """Without the key."""
        return f"{self.origin}/{self.app}"

    def __str__(self) -> str:
        return f"{self.url}/{HIDDEN}"


@dataclass(frozen=True, slots=True)
class SrtStream:
    """A stream at an SRT server, which we call."""

    origin: Origin
    stream_id: str | None = field(default=None, repr=False)
    """A secret."""
    passphrase: str | None = field(default=None, repr=False)
    """A secret: the stream is encrypted with it."""
    latency: int | None = None
    """Milliseconds that lost packets may be sent again in; None: as the server has it."""

    @property
    def place(self) -> str:
        """What a node must be able to reach."""
        return str(self.origin)

    def __str__(self) -> str:
        secret = self.stream_id is not None or self.passphrase is not None
        return f"{self.origin}?{HIDDEN}" if secret else str(self.origin)


Stream = RtmpStream | SrtStream


def is_stream(text: str) -> bool:
    """Whether it names a live stream, rightly or not."""
    return _STREAM.match(text) is not None


def parse_stream(text: str) -> Stream:
    """The stream that `text` names; `InputError` if it names none that we take."""
    if len(text) > MAX_URL:
        raise InputError(f"the URL is longer than {MAX_URL} characters")
    # Also no host name beyond ASCII: what a server is sent must be what was written.
    if not _PLAIN.fullmatch(text) or "\\" in text:
        raise InputError("the URL of a stream is ASCII without spaces, control characters or backslashes")
    if "#" in text:
        raise InputError("the URL of a stream has no #fragment")
    match = _URL.fullmatch(text)
    if match is None:
        raise InputError("write rtmp://HOST/APP/KEY or srt://HOST:PORT")
    scheme, authority, path, query = match.groups()
    origin = parse_origin(scheme.lower(), authority)
    if origin.scheme == "srt":
        return _srt(origin, path or "", query or "")
    return _rtmp(origin, path or "", query or "")


def masked(text: str) -> str:
    """`text` with the secrets of all the streams in it hidden."""
    return _SECRET.sub(_mask, text)


def _mask(match: re.Match[str]) -> str:
    server, rest = match.groups()
    server = re.sub(r"//.*@", f"//{HIDDEN}@", server)
    if not rest or rest == "/":
        return f"{server}{rest}"
    path = rest.partition("?")[0]
    app = path.rpartition("/")[0] if "/" in path.strip("/") else ""
    return f"{server}{app}{'/' if path else '?'}{HIDDEN}"


def _rtmp(origin: Origin, path: str, query: str) -> RtmpStream:
    app, _, name = path.removeprefix("/").rpartition("/")
    if not app or not name or any(part in ("", ".", "..") for part in app.split("/")):
        raise InputError(f"write {origin.scheme}://HOST/APP/KEY; neither may be empty")
    return RtmpStream(origin, app, name + query)


def _srt(origin: Origin, path: str, query: str) -> SrtStream:
    if path not in ("", "/"):
        raise InputError("an SRT stream has no path; write srt://HOST:PORT?streamid=NAME")
    given: dict[str, str] = {}
    for pair in query.removeprefix("?").split("&") if query not in ("", "?") else []:
        name, equals, value = pair.partition("=")
        if name not in ("streamid", "passphrase", "latency") or not equals or name in given:
            raise InputError("of SRT's options only streamid, passphrase and latency may be given, each once")
        given[name] = _decoded(value)
    latency = given.get("latency")
    least, most = SRT_LATENCY
    if latency is not None and not (
        re.fullmatch(r"\d{1,4}", latency, re.ASCII) and least <= int(latency) <= most
    ):
        raise InputError(f"the latency of SRT is {least} to {most} milliseconds")
    stream_id, passphrase = given.get("streamid"), given.get("passphrase")
    if stream_id is not None and not 1 <= len(stream_id) <= _STREAM_ID:
        raise InputError(f"a streamid of SRT has 1 to {_STREAM_ID} bytes")
    if passphrase is not None and not _PASSPHRASE[0] <= len(passphrase) <= _PASSPHRASE[1]:
        raise InputError(f"a passphrase of SRT has {_PASSPHRASE[0]} to {_PASSPHRASE[1]} bytes")
    return SrtStream(origin, stream_id, passphrase, None if latency is None else int(latency))


def _decoded(value: str) -> str:
    if _ESCAPE.search(value):
        raise InputError("a % in a URL begins an escape such as %20")
    decoded = unquote(value, errors="replace")
    if not re.fullmatch(r"[ -~]*", decoded, re.ASCII):
        raise InputError("the options of SRT are ASCII that can be seen")
    return decoded
