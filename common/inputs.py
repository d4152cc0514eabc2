"""What a job's input may be, and which node can read it: the one grammar, pure.

    media:films/2024/a day.mp4     a file below a media root that nodes declare
    https://example.com/a.mp4      a file that the node fetches from an allowed host
    s3://bucket/films/a day.mp4    an object of a store that the node has the credentials of
    file:<SHA-256>                 a file in the master's file store
    rtmp://example.com/app/name    a live stream, which is recorded (`common.streams`)

Nothing is normalised or guessed: what has two meanings is refused.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import idna

from common import paths

if TYPE_CHECKING:
    from common.streams import Stream

MAX_URL = 2048
"""Characters."""
MAX_PATH = 4095
"""Bytes of a path below a media root: Linux opens no longer ones at once."""
MAX_PLACE = len("media:/") + 63 + 4 * MAX_PATH
"""Characters of `media:ROOT/PATH`: a byte of a path takes up to four."""
MAX_NAME = 255
"""Bytes of one name in it: Linux has no longer ones."""
PORTS = {"https": 443, "http": 80, "rtmp": 1935, "rtmps": 443, "srt": None}
"""The schemes of servers, and the port that each means by itself, if it means one."""

ROOT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
"""The name of a media root."""
FILE = "file:"
"""How the name of a file in the master's file store begins."""
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CONTROLS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
STORES = ("s3",)
"""The schemes of stores of objects."""
MAX_KEY = 1024
"""Bytes of an object's name in UTF-8: S3 has no longer ones."""
_STORE = re.compile(f"(?:{'|'.join(STORES)})://")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_URL = re.compile(r"(https?)://([^/?#]*)(/[^?#]*)?(\?[^#]*)?", re.ASCII | re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]@]*)(?::(\d{1,5}))?", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_MAX_HOST = 253


class InputError(ValueError):
    """The text names no input (or host) that we take; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file below a media root."""

    root: str
    """The name that agents declare the root by."""
    path: str
    """Names with `/` between; none is empty, `.` or `..`. As `common.paths` spells it."""

    @property
    def place(self) -> str:
        """What a node must be able to read, as `readable` takes it."""
        return f"media:{self.root}"

    @property
    def name(self) -> bytes:
        """The path as the system has it."""
        return paths.to_bytes(self.path)

    def __str__(self) -> str:
        return f"media:{self.root}/{self.path}"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in a bucket of a store such as S3."""

    scheme: str
    """Of `STORES`."""
    bucket: str
    key: str
    """As it was written: it may have spaces and slashes anywhere."""

    @property
    def place(self) -> str:
        """What a node must be able to read, as `readable` takes it."""
        return f"{self.scheme}://{self.bucket}"

    @property
    def origin(self) -> Origin:
        """The same, as hosts' patterns know it."""
        return Origin(self.scheme, self.bucket, 0)

    def __str__(self) -> str:
        return f"{self.place}/{self.key}"


@dataclass(frozen=True, slots=True)
class Origin:
    """A server: what a URL names before its path."""

    scheme: str
    host: str
    """In lower case and ASCII; an IP address in its canonical spelling, without brackets. Of a store: the
    bucket."""
    port: int
    """0 for a bucket."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS.get(self.scheme, 0) else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


@dataclass(frozen=True, slots=True)
class Url:
    """A file on a server."""

    origin: Origin
    target: str
    """Path and query, as they were written."""

    @property
    def place(self) -> str:
        """What a node must be able to read, as `readable` takes it."""
        return str(self.origin)

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the master's file store."""

    sha256: str
    """64 lower-case hexadecimal digits."""

    @property
    def place(self) -> str:
        """What a node must be able to read, as `readable` takes it."""
        return FILE

    def __str__(self) -> str:
        return f"{FILE}{self.sha256}"


@dataclass(frozen=True, slots=True)
class HostPattern:
    """Servers that an agent may fetch from: one, or with `*.` all below a domain."""

    origin: Origin
    """Its host without the `*.`."""
    below: bool
    """Whether the hosts below it are meant, and not it itself."""

    def allows(self, origin: Origin) -> bool:
        """Whether `origin` is one of them; scheme and port must be the same."""
        if (self.origin.scheme, self.origin.port) != (origin.scheme, origin.port):
            return False
        return origin.host.endswith(f".{self.origin.host}") if self.below else origin.host == self.origin.host

    def __str__(self) -> str:
        scheme, rest = str(self.origin).split("://")
        return f"{scheme}://{'*.' if self.below else ''}{rest}"


def parse_input(text: str) -> MediaFile | StoredObject | Url | StoredFile | Stream:
    """The input that `text` names; `InputError` if it names none that we take."""
    from common.streams import is_stream, parse_stream  # it is written in the words of this module

    if text.startswith("media:"):
        return parse_media(text)
    if _CONTROLS.search(text):
        raise InputError("it has a control character or half a character in it")
    if _STORE.match(text):
        return _stored_object(text)
    if _URL.match(text):
        return parse_url(text)
    if is_stream(text):
        return parse_stream(text)
    if text.startswith(FILE):
        sha256 = stored_file(text)
        if sha256 is None:
            raise InputError("write file: and the file's whole SHA-256: 64 digits of 0-9 and a-f")
        return StoredFile(sha256)
    raise InputError(
        "write media:ROOT/PATH for a file below a media root, file:SHA256 for one in the file store, "
        "https://HOST/PATH, s3://BUCKET/KEY, or rtmp://HOST/APP/KEY"
    )


def stored_file(text: str) -> str | None:
    """The SHA-256 in the name of a stored file, `file:<sha256>`; None if the text is none."""
    sha256 = text.removeprefix(FILE)
    return sha256 if text.startswith(FILE) and _SHA256.fullmatch(sha256) else None


def parse_media(text: str) -> MediaFile:
    """The place below a media root that `media:ROOT/PATH` names; `InputError` if it is none."""
    name, slash, path = text.removeprefix("media:").partition("/")
    if not slash:
        raise InputError("the path is missing; write media:ROOT/PATH")
    root = root_name(name)
    try:
        below = paths.to_bytes(path)
    except paths.PathError as error:
        raise InputError(str(error)) from error
    if len(below) > MAX_PATH:
        raise InputError(f"the path is longer than {MAX_PATH} bytes")
    for part in below.split(b"/"):
        if part in (b"", b".", b".."):
            raise InputError("no name in the path may be empty, . or ..")
        if len(part) > MAX_NAME:
            raise InputError(f"a name in the path is longer than {MAX_NAME} bytes")
    return MediaFile(root, path)


def _stored_object(text: str) -> StoredObject:
    scheme, _, rest = text.partition("://")
    bucket, slash, key = rest.partition("/")
    if not (slash and key):
        raise InputError(f"the key is missing; write {scheme}://BUCKET/KEY")
    if len(key.encode()) > MAX_KEY:
        raise InputError(f"the key is longer than {MAX_KEY} bytes")
    return StoredObject(scheme, _bucket(scheme, bucket), key)


def _bucket(scheme: str, text: str) -> str:
    if not _BUCKET.fullmatch(text):
        raise InputError(
            f"{text!r} is no bucket; write {scheme}://BUCKET, of 3 to 63 small letters, digits and .-"
        )
    return text


def root_name(text: str) -> str:
    """The name of a media root; `InputError` if it cannot be one."""
    if not ROOT.fullmatch(text):
        raise InputError("a media root is named by 1 to 63 letters, digits and ._-, the first no sign")
    return text


def parse_url(text: str) -> Url:
    """A file that can be fetched; `InputError` if the URL is none of that kind."""
    if len(text) > MAX_URL:
        raise InputError(f"the URL is longer than {MAX_URL} characters")
    if _CONTROLS.search(text) or "\\" in text or any(character.isspace() for character in text):
        raise InputError("a URL has no spaces, control characters or backslashes; write %20 for a space")
    if "#" in text:
        raise InputError("a URL of an input has no #fragment")
    match = _URL.fullmatch(text)
    if match is None:
        raise InputError("write https://HOST/PATH")
    scheme, authority, path, query = match.groups()
    return Url(parse_origin(scheme.lower(), authority), f"{path or '/'}{query or ''}")


def parse_origin(scheme: str, authority: str) -> Origin:
    """The server of a scheme in `PORTS`, from what a URL has between // and its path."""
    if "@" in authority:
        raise InputError("a URL of an input has no user or password")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise InputError("the host or port of the URL is none")
    port = int(match[2]) if match[2] else PORTS[scheme]
    if port is None:
        raise InputError(f"{scheme} has no usual port; write {scheme}://HOST:PORT")
    if not 1 <= port <= 65_535:
        raise InputError("a port is 1 to 65535")
    return Origin(scheme, _host(match[1]), port)


def _host(text: str) -> str:
    """The host in its one spelling; an address that is written oddly is refused."""
    if text.startswith("["):
        return _ipv6(text[1:-1])
    if not text.isascii():
        try:
            # With the mapping that browsers use: a full-width 1 is a 1, and seen as one below.
            text = idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
        except idna.IDNAError as error:
            raise InputError(f"{text!r} is no host name") from error
    host = text.lower().removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise InputError("write an IP address as in 192.0.2.1, in no other way") from error
    if len(host) > _MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise InputError(f"{text!r} is no host name")
    return host


def _ipv6(text: str) -> str:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no IPv6 address") from error
    if address.scope_id is not None:
        raise InputError("an address with a zone (%) means something on one machine only")
    return str(address.ipv4_mapped or address)


@lru_cache(maxsize=4096)
def parse_host_pattern(text: str) -> HostPattern:
    """`example.com`, `*.example.com`, `example.com:8443`, `http://example.com`, `s3://bucket`.

    Without a scheme https is meant. `InputError` if it is none of these.
    """
    if _STORE.match(text):
        scheme, _, bucket = text.partition("://")
        return HostPattern(Origin(scheme, _bucket(scheme, bucket), 0), below=False)
    scheme, _, authority = text.rpartition("://")
    scheme = scheme.lower() or "https"
    if scheme not in PORTS or _CONTROLS.search(text) or any(sign in authority for sign in "/?#\\ "):
        raise InputError(f"{text!r} is no host; write example.com, *.example.com or http://example.com")
    below = authority.startswith("*.")
    origin = parse_origin(scheme, authority.removeprefix("*."))
    if below and is_address(origin.host):
        raise InputError(f"{text!r}: there are no hosts below an address")
    return HostPattern(origin, below)


def is_address(host: str) -> bool:
    """Whether a host of an `Origin` is an IP address, and not a name."""
    return ":" in host or bool(_NUMBER.fullmatch(host.rpartition(".")[2]))


def readable(place: str, media_roots: Iterable[str] | None, input_hosts: Iterable[str] | None) -> bool:
    """Whether a node with these roots and hosts can read inputs from `place`.

    None: its agent does not say, because it is older than inputs are, and can read none.
    """
    if place == FILE:
        return True  # any agent that speaks the protocol of such jobs: it asks the master for the file
    if place.startswith("media:"):
        return place.removeprefix("media:") in (media_roots or ())
    return reaches(place, input_hosts)


def reaches(place: str, hosts: Iterable[str] | None) -> bool:
    """Whether the server at `place` is among those that these patterns allow."""
    origin = _parse_place(place)
    return any(parse_host_pattern(text).allows(origin) for text in hosts or ())


@lru_cache(maxsize=4096)
def _parse_place(place: str) -> Origin:
    if _STORE.match(place):
        return parse_host_pattern(place).origin
    scheme, _, authority = place.partition("://")
    return parse_origin(scheme, authority)
