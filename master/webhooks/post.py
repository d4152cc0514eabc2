"""Sends one request to a receiver, and to nobody else.

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
from dataclasses import dataclass, field

from common.addresses import is_public
from common.clock import Clock, system_clock
from common.inputs import Origin, Url
from common.ip import parse_ip
from common.reach import (
    NoAddressError,
    PrivateAddressError,
    Resolve,
    addresses_of,
    interface_addresses,
    resolve,
)
from master.webhooks.patience import parse_retry_after

ALLOW = "--allow-private-webhooks"
CONNECT_TIMEOUT = 5.0
"""Seconds to reach one address."""
READ_TIMEOUT = 15.0
"""Seconds of silence."""
TOTAL_TIMEOUT = 20.0
"""Seconds from the connection to the end of the answer."""
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
    connect: Callable[[str, int, float], socket.socket] = field(
        default=lambda address, port, timeout: socket.create_connection((address, port), timeout)
    )


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


def post(url: Url, headers: Mapping[str, str], body: bytes, world: Surroundings) -> Outcome:
    """Send `body` to `url`, and wait for the answer, for a bounded time."""
    begun = time.monotonic()
    status = retry_after = None
    try:
        status, asked = _post(url, headers, body, world)
        retry_after = parse_retry_after(asked, world.clock().wall)
        error = None if 200 <= status < 300 else _declined(status)
    except (RefusedError, NoAddressError) as refusal:
        error = str(refusal)
    except (OSError, http.client.HTTPException, ValueError) as failure:
        error = _reason(failure)
    return Outcome(time.monotonic() - begun, status, error, retry_after)


def _post(url: Url, headers: Mapping[str, str], body: bytes, world: Surroundings) -> tuple[int, str | None]:
    with _connected(url.origin, judged(url.origin, world), world) as plain, _cut_off(plain, world.total):
        plain.settimeout(READ_TIMEOUT)
        # For the host's name, whatever the address.
        secured = (
            world.context().wrap_socket(plain, server_hostname=url.origin.host)
            if url.origin.scheme == "https"
            else plain
        )
        with secured:
            connection = http.client.HTTPConnection(url.origin.host, url.origin.port)
            connection.sock = secured
            sent = {**headers, "Host": str(url.origin).partition("://")[2], "Connection": "close"}
            connection.request("POST", url.target, body, sent)
            with connection.getresponse() as response:
                with suppress(OSError, http.client.HTTPException):  # the status says it all
                    response.read(_MOST_ANSWER)
                return response.status, response.headers.get("Retry-After")


def _connected(origin: Origin, addresses: Sequence[str], world: Surroundings) -> socket.socket:
    problem: OSError = OSError("it has no address")
    for address in addresses[:MOST_ADDRESSES]:
        try:
            return world.connect(address, origin.port, CONNECT_TIMEOUT)
        except OSError as error:
            problem = error
    raise problem


@contextmanager
def _cut_off(sock: socket.socket, seconds: float) -> Iterator[None]:
    """End every wait for `sock` when the time is over: one that dribbles is never silent."""

    def cut() -> None:
        with suppress(OSError):  # it has ended by itself
            other.shutdown(socket.SHUT_RDWR)

    # Another descriptor of the same connection: TLS takes the first one over.
    with sock.dup() as other:
        timer = threading.Timer(seconds, cut)
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
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, http.client.HTTPException | ValueError):
        return "it did not answer in HTTP, or not in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
