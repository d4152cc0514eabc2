"""Connects to a streaming server: to the very address that was judged, and with TLS to its name."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.inputs.fetch import Surroundings
from agent.stream.wire import SILENCE, LostError, Wire, prepare
from common.inputs import HostPattern, Origin
from common.reach import NoAddressError, PrivateAddressError, addresses_of, reason

CONNECT_TIMEOUT = 10.0
"""Seconds to reach one address, and for the TLS handshake."""


class ForbiddenError(Exception):
    """This node may not speak to that server; the message says which rule forbids it."""


@dataclass(frozen=True, slots=True)
class Door:
    """Which servers may be called."""

    hosts: tuple[HostPattern, ...]
    allow_private: bool
    host_flag: str
    """The option by which the node's operator allows a host."""
    private_flag: str
    world: Surroundings = field(default_factory=Surroundings)

    def check(self, origin: Origin) -> None:
        """ForbiddenError unless the host is allowed, whatever its addresses."""
        if not any(pattern.allows(origin) for pattern in self.hosts):
            raise ForbiddenError(
                f"this node may not call {origin}; its operator can allow it with {self.host_flag}"
            )

    def addresses(self, origin: Origin) -> list[str]:
        """Those of an allowed host, all of them allowed. ForbiddenError; LostError if it has none."""
        self.check(origin)
        world = self.world
        try:
            return addresses_of(origin, world.resolve, world.own_addresses, allow_private=self.allow_private)
        except NoAddressError as error:
            raise LostError(str(error)) from error
        except PrivateAddressError as error:
            raise ForbiddenError(
                f"{error}; its node's operator can allow that with {self.private_flag}"
            ) from error


def dial(origin: Origin, door: Door, wanted: Callable[[], bool], silence: float = SILENCE) -> Wire:
    """A connection to the server, which the caller closes. ForbiddenError; LostError if it cannot be had."""
    problem: OSError = OSError("it has no address")
    for address in door.addresses(origin):
        sock = None
        try:
            sock = door.world.connect(address, origin.port, CONNECT_TIMEOUT)
            prepare(sock, silence)
            if origin.scheme == "rtmps":
                sock = door.world.context().wrap_socket(sock, server_hostname=origin.host)
            return Wire(sock, wanted, silence)
        except OSError as error:
            problem = error
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.close()
    raise LostError(f"{origin} cannot be reached: {_reason(problem)}") from problem


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS failed: {error.reason or error}"
    return reason(error) or str(error)
