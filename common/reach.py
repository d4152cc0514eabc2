"""Where a server's name leads, and whether we may go there.

The rule for all that agents fetch and stream, and for all that the master sends to webhooks.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence

import psutil

from common.addresses import is_public
from common.inputs import Origin
from common.ip import parse_ip

Resolve = Callable[[str, int], Sequence[str]]
"""The IP addresses of a host, in the order in which they are to be tried. OSError if it has none."""
Connect = Callable[[str, int, float], socket.socket]
"""Connects to an address and a port, within so many seconds."""


def resolve(host: str, port: int) -> list[str]:
    """The host's addresses, as the system finds them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def interface_addresses() -> tuple[str, ...]:
    """The IP addresses of this machine's interfaces, sorted, without IPv6 scopes."""
    found = {
        entry.address.partition("%")[0]
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in (socket.AF_INET, socket.AF_INET6)
    }
    return tuple(sorted(found))


class NoAddressError(OSError):
    """The name cannot be resolved."""


class PrivateAddressError(Exception):
    """The host has an address that is not public."""


def addresses_of(
    origin: Origin, resolve: Resolve, own_addresses: Callable[[], Sequence[str]], *, allow_private: bool
) -> list[str]:
    """The addresses of the host, all of them allowed; who connects to one of them is led nowhere else.

    NoAddressError; PrivateAddressError if one is not public, or is this machine's, without `allow_private`.
    """
    host = origin.host
    try:
        addresses = list(resolve(host, origin.port))
    except (OSError, UnicodeError) as error:
        raise NoAddressError(f"the name {host} cannot be resolved: {error}") from error
    if not allow_private:
        own = {parse_ip(address) for address in own_addresses()}
        for address in map(parse_ip, addresses):
            if not is_public(address) or address in own:
                raise PrivateAddressError(f"{host} has the address {address}, which is not public")
    return addresses


def connect(address: str, port: int, timeout: float) -> socket.socket:
    """The one `Connect` of the real world."""
    return socket.create_connection((address, port), timeout)


def connected(addresses: Sequence[str], port: int, timeout: float, connect: Connect) -> socket.socket:
    """A connection to the first of `addresses` that can be reached; OSError of the last if none can."""
    problem: OSError = OSError("it has no address")
    for address in addresses:
        try:
            return connect(address, port, timeout)
        except OSError as error:
            problem = error
    raise problem


def reason(error: BaseException) -> str | None:
    """Why a server could not be talked to, in one line that it did not write; None: not known here."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return None
