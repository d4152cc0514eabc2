"""Whether a host name means this very machine: a test of addresses, not of spelling."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from common.ip import IPAddress, parse_ip


def is_this_machine(host: str, addresses: Iterable[str]) -> bool:
    """Whether `host` (a name or an IP address) leads to this machine.

    `addresses` are this machine's own (`interface_addresses()`). A name counts when
    any of the addresses it resolves to is loopback, unspecified, or one of them.
    Raises OSError when the name cannot be resolved.
    """
    own = {parse_ip(address) for address in addresses}
    # Linux connects 0.0.0.0 and :: to itself, so these are this machine as well.
    return any(a.is_loopback or a.is_unspecified or a in own for a in _resolve(host))


def _resolve(host: str) -> list[IPAddress]:
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        found = socket.getaddrinfo(bare, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        # The IDNA codec refuses empty and overlong labels before anybody is asked.
        raise OSError(f"{host!r} is not a host name") from error
    return [parse_ip(str(entry[4][0])) for entry in found]
