"""Fetches a file over HTTP, from nowhere but where the rules allow.

Each hop is judged by itself: its URL by the grammar and the allowed hosts, then every address of
its host. The connection goes to the very address that was judged, so a name that changes
its mind in between changes nothing. Nothing of the environment is used: no proxy, no netrc, no cookie.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote, urljoin

from agent.inputs.rules import InputFailedError, InputRules
from common.inputs import Url, parse_url
from common.reach import (
    Connect,
    NoAddressError,
    PrivateAddressError,
    Resolve,
    addresses_of,
    connect,
    connected,
    interface_addresses,
    reason,
    resolve,
)
from common.version import VERSION

MAX_REDIRECTS = 5
CONNECT_TIMEOUT = 20.0
"""Seconds to reach one address, and for each flight of the TLS handshake."""
READ_TIMEOUT = 60.0
"""Seconds of silence."""
GRACE = 60.0
"""Seconds before the rate counts; the request and its answer must be through by then."""
MIN_RATE = 64 * 1024
"""Bytes per second, on the average of the whole transfer."""
_CHUNK = 1024 * 1024
_TICK = 0.2
"""Seconds between looks at what may end a transfer."""
_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (404, 410)
_LATER = (408, 425, 429)
_UNRESERVED = "%/:=&?~!$'()*+,;@[]-._"
"""What a target may have as it is; the rest is written as %XX of its UTF-8."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a transfer needs of the world; tests put others in its place."""

    resolve: Resolve = resolve
    own_addresses: Callable[[], Sequence[str]] = interface_addresses
    context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    clock: Callable[[], float] = time.monotonic
    grace: float = GRACE
    connect: Connect = connect


_WORLD = Surroundings()


def fetch(
    url: Url, rules: InputRules, into: BinaryIO, abort: threading.Event, world: Surroundings = _WORLD
) -> int:
    """Write the file at `url` to `into`; its size in bytes.

    `InputFailedError` if it cannot be had, or `abort` was set meanwhile. OSError if it cannot be written.
    """
    seen = url
    for _ in range(MAX_REDIRECTS + 1):
        moved = _hop(seen, rules, into, abort, world)
        if isinstance(moved, int):
            return moved
        seen = moved
    raise InputFailedError("input_refused", f"{url.origin} redirects more than {MAX_REDIRECTS} times")


def _hop(
    url: Url, rules: InputRules, into: BinaryIO, abort: threading.Event, world: Surroundings
) -> Url | int:
    """The size of what was fetched, or where the file is instead."""
    rules.check(url.origin)
    transfer = _Transfer(abort, world.clock, world.grace)
    sock = _connect(url, judged(url, rules, world), world)
    try:
        with transfer.watched(sock), _secured(url, sock, world) as secured:
            return _ask(url, secured, rules, into, transfer)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, _WriteError):
            raise error.cause from error
        why = transfer.cut or _reason(error)
        raise InputFailedError("input_unreachable", f"{url.origin} did not give the file: {why}") from error
    finally:
        sock.close()


def judged(url: Url, rules: InputRules, world: Surroundings) -> list[str]:
    """The addresses of the URL's host, all of them allowed; else `input_refused`."""
    try:
        return addresses_of(url.origin, world.resolve, world.own_addresses, allow_private=rules.allow_private)
    except NoAddressError as error:
        raise InputFailedError("input_unreachable", str(error)) from error
    except PrivateAddressError as error:
        raise InputFailedError(
            "input_refused", f"{error}; its node's operator can allow that with --allow-private-inputs"
        ) from error


def _connect(url: Url, addresses: Sequence[str], world: Surroundings) -> socket.socket:
    try:
        return connected(addresses, url.origin.port, CONNECT_TIMEOUT, world.connect)
    except OSError as error:
        raise InputFailedError(
            "input_unreachable", f"{url.origin} cannot be reached: {_reason(error)}"
        ) from error


def _secured(url: Url, sock: socket.socket, world: Surroundings) -> socket.socket:
    """TLS for the host's name, whatever the address; plain HTTP where that is allowed."""
    if url.origin.scheme == "https":
        sock = world.context().wrap_socket(sock, server_hostname=url.origin.host)
    sock.settimeout(READ_TIMEOUT)
    return sock


def _ask(url: Url, sock: socket.socket, rules: InputRules, into: BinaryIO, transfer: _Transfer) -> Url | int:
    connection = http.client.HTTPConnection(url.origin.host, url.origin.port)
    connection.sock = sock
    connection.putrequest(
        "GET", quote(url.target, safe=_UNRESERVED), skip_host=True, skip_accept_encoding=True
    )
    connection.putheader("Host", str(url.origin).partition("://")[2])
    connection.putheader("Accept-Encoding", "identity")
    connection.putheader("User-Agent", f"ffrtmp-agent/{VERSION}")
    connection.putheader("Connection", "close")
    connection.endheaders()
    with connection.getresponse() as response:
        if response.status in _REDIRECTS:
            return _target(url, response.headers.get("Location"))
        _judge(url, response, rules.max_size)
        return _copy(url, response, rules.max_size, into, transfer)


def _target(url: Url, location: str | None) -> Url:
    """Where a redirect leads; the caller judges it like any other URL."""
    try:
        return parse_url(urljoin(str(url), (location or "").partition("#")[0]))
    except ValueError as error:
        raise InputFailedError(
            "input_refused", f"{url.origin} redirects to {(location or 'nowhere')[:200]!r}: {error}"
        ) from error


def _judge(url: Url, response: http.client.HTTPResponse, max_size: int) -> None:
    """Raises unless what comes is the file as it is, and not too large."""
    status = f"{url.origin} answers {response.status} {response.reason}".rstrip()
    if response.status in _GONE:
        raise InputFailedError("input_missing", f"{status}: there is no such file")
    if response.status >= 500 or response.status in _LATER:
        raise InputFailedError("input_unreachable", status)
    if response.status != http.HTTPStatus.OK:
        raise InputFailedError("input_refused", f"{status}; it must be readable without a password")
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise InputFailedError("input_invalid", f"{url.origin} sends the file compressed, unasked")
    if response.length is not None and response.length > max_size:
        raise _too_large(url, max_size)


def _too_large(url: Url, max_size: int) -> InputFailedError:
    return InputFailedError(
        "input_invalid", f"the file at {url.origin} is larger than {max_size} bytes (--max-input-size)"
    )


def _copy(
    url: Url, response: http.client.HTTPResponse, max_size: int, into: BinaryIO, transfer: _Transfer
) -> int:
    while chunk := response.read1(_CHUNK):
        transfer.got += len(chunk)
        if transfer.got > max_size:
            raise _too_large(url, max_size)
        try:
            into.write(chunk)
        except OSError as error:
            raise _WriteError(error) from error
    if transfer.cut is not None or response.length:
        raise http.client.IncompleteRead(b"", response.length)
    if transfer.got == 0:
        raise InputFailedError("input_invalid", f"the file at {url.origin} is empty")
    return transfer.got


class _WriteError(OSError):
    """It is our disk that failed, and not the network."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _Transfer:
    """One request and its answer, which a thread of its own cuts off when it must end.

    A read that waits for a slow server cannot look at the clock itself.
    """

    def __init__(self, abort: threading.Event, clock: Callable[[], float], grace: float) -> None:
        self.got = 0
        """Bytes so far."""
        self.cut: str | None = None
        """Why it was cut off."""
        self._abort, self._clock, self._grace = abort, clock, grace
        self._over = threading.Event()

    @contextmanager
    def watched(self, sock: socket.socket) -> Iterator[None]:
        """Shuts `sock` down, so that every wait for it ends, when the transfer must end."""
        # Another descriptor of the same connection: TLS takes the first one over.
        with sock.dup() as other:
            watch = threading.Thread(target=self._watch, args=(other,), name="fetch-watch", daemon=True)
            watch.start()
            try:
                yield
            finally:
                self._over.set()
                watch.join()

    def _watch(self, sock: socket.socket) -> None:
        begun = self._clock()
        while not self._over.wait(_TICK):
            if self._abort.is_set():
                self.cut = "it is not wanted any more"
            elif self._clock() - begun > self._grace + self.got / MIN_RATE:
                self.cut = f"it was too slow: {self.got} bytes in {self._clock() - begun:.0f} s"
            if self.cut is not None:
                with suppress(OSError):  # it has ended by itself
                    sock.shutdown(socket.SHUT_RDWR)
                return


def _reason(error: BaseException) -> str:
    """One line for people."""
    if isinstance(error, http.client.IncompleteRead):
        return "the connection ended early"
    return reason(error) or f"{type(error).__name__}: {error}"[:200]
