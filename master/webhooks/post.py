"""Sends requests to a receiver, and to nobody else.

All addresses of its host are judged, and the connection goes to the very one that was judged, so a name
that changes its mind in between changes nothing. Redirects are not followed. Nothing of the environment is
used (no proxy, no netrc), and nothing of the answer is kept but its status: it may be another service's.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from common.addresses import is_public
from common.clock import Clock, system_clock
from common.inputs import Origin, Url
from common.ip import parse_ip
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
from master.webhooks.patience import parse_retry_after

ALLOW = "--allow-private-webhooks"
CONNECT_TIMEOUT = 5.0
"""Seconds to reach one address."""
READ_TIMEOUT = 15.0
"""Seconds of silence."""
TOTAL_TIMEOUT = 20.0
"""Seconds from the request to the end of the answer, and for the TLS handshake."""
LONGEST_CONNECTION = 60.0
"""Seconds that a connection is used for further requests: then the name is judged anew."""
MOST_ADDRESSES = 4
"""Of a host that are tried."""
_MOST_ANSWER = 16 * 1024
"""Bytes of an answer that are waited for: a receiver may write while it is not read."""


class RefusedError(Exception):
    """Nothing may be sent there; the text says why, and what could be done."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What sending needs of the world; tests put others in its place."""

    allow_private: bool = False
    resolve: Resolve = resolve
    own_addresses: Callable[[], Sequence[str]] = interface_addresses
    context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    clock: Clock = system_clock
    total: float = TOTAL_TIMEOUT
    connect: Connect = connect


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request."""

    duration: float
    """Seconds, from looking the name up to the answer."""
    status: int | None = None
    """The HTTP status; None: no answer came."""
    error: str | None = None
    """Why it was not taken, in one line; None if it was."""
    retry_after: float | None = None
    """Seconds that the receiver asks us to wait."""

    @property
    def taken(self) -> bool:
        """Whether the receiver has it now."""
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing more, ever."""
        return self.status == http.HTTPStatus.GONE


def judged(origin: Origin, world: Surroundings) -> list[str]:
    """The addresses of a receiver's host, all of them allowed.

    RefusedError if one is not; NoAddressError if it has none.
    """
    if origin.scheme != "https" and not world.allow_private:
        raise RefusedError(f"{origin} is not https; http is for receivers in a private network, with {ALLOW}")
    try:
        addresses = addresses_of(
            origin, world.resolve, world.own_addresses, allow_private=world.allow_private
        )
    except PrivateAddressError as error:
        raise RefusedError(f"{error}; the master's operator can allow that with {ALLOW}") from error
    own = {parse_ip(address) for address in world.own_addresses()}
    far = [each for each in map(parse_ip, addresses) if is_public(each) and each not in own]
    if origin.scheme != "https" and far:
        raise RefusedError(f"{origin} has the address {far[0]}, which is public: use https there")
    return addresses


class Line:
    """A way to one receiver: requests in a row share a connection. For one thread."""

    def __init__(self, world: Surroundings) -> None:
        """Nothing is opened yet."""
        self._world = world
        self._connection: _Connection | None = None

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def post(self, url: Url, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send `body` to `url`, and wait for the answer, for a bounded time."""
        begun = time.monotonic()
        status = retry_after = None
        try:
            status, asked = self._post(url, headers, body)
            retry_after = parse_retry_after(asked, self._world.clock().wall)
            error = None if 200 <= status < 300 else _declined(status)
        except (RefusedError, NoAddressError) as refusal:
            error = str(refusal)
        except (OSError, http.client.HTTPException, ValueError) as failure:
            error = _reason(failure)
        return Outcome(time.monotonic() - begun, status, error, retry_after)

    def _post(self, url: Url, headers: Mapping[str, str], body: bytes) -> tuple[int, str | None]:
        known = self._connection
        if known is not None and known.may_serve(url.origin):
            try:
                return self._ask(known, url, headers, body)
            except (ConnectionError, http.client.RemoteDisconnected):
                pass  # the receiver hung up in between; if it has the request, it drops the second by its id
        self.close()
        self._connection = _Connection(url.origin, self._world)
        return self._ask(self._connection, url, headers, body)

    def _ask(
        self, connection: _Connection, url: Url, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str | None]:
        try:
            answer = connection.ask(url, headers, body)
        except BaseException:
            self.close()
            raise
        if not connection.lasts:
            self.close()
        return answer


class _Connection:
    """An open connection to an address that was judged."""

    def __init__(self, origin: Origin, world: Surroundings) -> None:
        self._origin, self._total = origin, world.total
        self._until = time.monotonic() + LONGEST_CONNECTION
        self.lasts = True
        """Whether it can take another request."""
        addresses = judged(origin, world)[:MOST_ADDRESSES]
        plain = connected(addresses, origin.port, CONNECT_TIMEOUT, world.connect)
        # Another descriptor of the same connection: TLS takes the first one over.
        self._other = plain.dup()
        try:
            self._http = self._opened(plain, world)
        except BaseException:
            plain.close()
            self._other.close()
            raise

    def _opened(self, plain: socket.socket, world: Surroundings) -> http.client.HTTPConnection:
        plain.settimeout(READ_TIMEOUT)
        # A body follows its head at once, and does not wait until that is acknowledged.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = http.client.HTTPConnection(self._origin.host, self._origin.port)
        with self._cut_off():
            # For the host's name, whatever the address.
            connection.sock = (
                world.context().wrap_socket(plain, server_hostname=self._origin.host)
                if self._origin.scheme == "https"
                else plain
            )
        return connection

    def may_serve(self, origin: Origin) -> bool:
        """Whether it leads there, and is not so old that the name may lead elsewhere by now."""
        return origin == self._origin and time.monotonic() < self._until

    def ask(self, url: Url, headers: Mapping[str, str], body: bytes) -> tuple[int, str | None]:
        """The status, and what `Retry-After` says."""
        with self._cut_off():
            host = str(url.origin).partition("://")[2]
            self._http.request("POST", url.target, body, {**headers, "Host": host})
            with self._http.getresponse() as response:
                self.lasts = False
                with suppress(OSError, http.client.HTTPException):  # the status says it all
                    response.read(_MOST_ANSWER)
                    self.lasts = response.isclosed() and self._http.sock is not None
                return response.status, response.headers.get("Retry-After")

    def close(self) -> None:
        self._http.close()
        self._other.close()

    @contextmanager
    def _cut_off(self) -> Iterator[None]:
        """End every wait when the time is over: one that dribbles is never silent."""

        def cut() -> None:
            with suppress(OSError):  # it has ended by itself
                self._other.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self._total, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _declined(status: int) -> str:
    if 300 <= status < 400:
        return f"it answered {status}, and redirects are not followed: make a webhook with the other URL"
    return f"it answered {status}"


def _reason(error: BaseException) -> str:
    """One line for people; nothing that the other side wrote."""
    known = reason(error)
    if known is None and isinstance(error, http.client.HTTPException | ValueError):
        return "it did not answer in HTTP, or not in time"
    return known or type(error).__name__
