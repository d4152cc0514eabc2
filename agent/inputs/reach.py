"""Where a server's name leads, and whether we may go there: the rule for all that is fetched and streamed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.inputs.addresses import is_public
from common.inputs import Origin
from common.ip import parse_ip

Resolve = Callable[[str, int], Sequence[str]]
"""The IP addresses of a host, in the order in which they are to be tried. OSError if it has none."""


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
