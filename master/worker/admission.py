"""Pure: who may connect, and who makes room when there are too many."""

from __future__ import annotations

import ipaddress
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from common.ip import parse_ip

KNOWN_CALLER = "master.known_caller"
"""The application sets this in the WSGI environment when it knows who calls."""
TELL_EVERY = 60.0
"""Seconds between two reports about one address."""
_MOST_TOLD = 1000
"""Addresses that reports are kept track of."""


class Waiting(Protocol):
    """As much of a connection as is needed here."""

    @property
    def address(self) -> str:
        """As `address_of` gives it."""

    @property
    def known(self) -> bool:
        """Whether the application knew the caller of its last request."""

    @property
    def held(self) -> int:
        """Bytes of memory that it fills."""


C = TypeVar("C", bound=Waiting)


def address_of(host: str) -> str:
    """Whom a client's address belongs to: an IPv6 host has a whole /64 to itself."""
    address = parse_ip(host)
    if address.version == 6 and not address.is_loopback:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def crowd_out(connections: Iterable[C], count: int) -> list[C]:
    """Which `count` connections make room for others.

    `connections` begins with the one that has waited longest. Strangers go before the known. Of each kind,
    the addresses with the most connections come down to what the others have, and lose those that waited
    longest. So a crowd from a few addresses pushes itself out. An answer that strangers may have, too, is
    cheap to get, and therefore earns nothing here.
    """
    later: Counter[tuple[bool, str]] = Counter()
    ranked: list[tuple[bool, int, C]] = []
    for connection in reversed(list(connections)):
        group = (connection.known, connection.address)
        ranked.append((connection.known, -later[group], connection))
        later[group] += 1
    ranked.sort(key=lambda each: each[:2])
    return [connection for _, _, connection in ranked[:count]]


def relieve(connections: Iterable[C], excess: int) -> list[C]:
    """Which connections go so that `excess` bytes of memory are free.

    The same order: strangers first; then those of the address that holds the most; then the largest.
    """
    all_ = list(connections)
    by_address: Counter[tuple[bool, str]] = Counter()
    for connection in all_:
        by_address[connection.known, connection.address] += connection.held
    all_.sort(key=lambda each: (each.known, -by_address[each.known, each.address], -each.held))
    gone: list[C] = []
    for connection in all_:
        if excess <= 0:
            break
        if connection.held:
            excess -= connection.held
            gone.append(connection)
    return gone


@dataclass(slots=True)
class _Refusals:
    told_at: float = -math.inf
    since: int = 0


class Admission:
    """Bounds the connections that one address may have open."""

    def __init__(self, most: int) -> None:
        """`most`: for each address but loopback; 0: any number."""
        self._most = most
        self._open: Counter[str] = Counter()
        self._refusals: dict[str, _Refusals] = {}

    def enter(self, address: str) -> bool:
        """Count a new connection; False, and it is not counted, if that is one too many."""
        if 0 < self._most <= self._open[address] and not _is_loopback(address):
            return False
        self._open[address] += 1
        return True

    def leave(self, address: str) -> None:
        """A counted connection has ended."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    def to_tell(self, address: str, now: float) -> int:
        """After a refusal: how many of the address are to be reported now; 0: nothing yet.

        A report comes at most once a minute for each address, and for a bounded number of them.
        """
        if address not in self._refusals and len(self._refusals) >= _MOST_TOLD:
            self._refusals = {
                each: told for each, told in self._refusals.items() if now - told.told_at < TELL_EVERY
            }
            if len(self._refusals) >= _MOST_TOLD:
                return 0
        refusals = self._refusals.setdefault(address, _Refusals())
        refusals.since += 1
        if now - refusals.told_at < TELL_EVERY:
            return 0
        count = refusals.since
        refusals.told_at, refusals.since = now, 0
        return count


def _is_loopback(address: str) -> bool:
    return "/" not in address and ipaddress.ip_address(address).is_loopback
