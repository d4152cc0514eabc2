"""Whose program is at the other end of a local connection: the kernel's socket table tells."""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path
from typing import Any

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LOCAL, _REMOTE, _STATE, _UID, _INODE = 1, 2, 3, 7, 9
_ESTABLISHED = "01"


def owner_of(connection: Any, tables: tuple[str, ...] = _TABLES) -> int | None:
    """The user id that owns the peer's socket of a loopback connection; None if it cannot be told."""
    try:
        peer, local = connection.getpeername(), connection.getsockname()
    except OSError:
        return None
    wanted = {(_hex(peer, mapped), _hex(local, mapped)) for mapped in (False, True)}
    for table in tables:
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            named = (columns[_LOCAL], columns[_REMOTE]) in wanted and columns[_STATE] == _ESTABLISHED
            # Without an inode no process holds the socket any more, and the user id says nothing.
            if named and columns[_INODE] != "0":
                return int(columns[_UID])
    return None


def _hex(end: tuple[Any, ...], mapped: bool) -> str:
    """An address as the table writes it: 32-bit words in the machine's byte order.

    `mapped`: an IPv4 address as an IPv6 socket has it (::ffff:…), and the other way round.
    """
    address = ipaddress.ip_address(str(end[0]).partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None)
    if mapped:
        address = inner or (ipaddress.IPv6Address(f"::ffff:{address}") if address.version == 4 else address)
    packed = address.packed
    words = [packed[i : i + 4] for i in range(0, len(packed), 4)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    return f"{b''.join(words).hex().upper()}:{int(end[1]):04X}"
