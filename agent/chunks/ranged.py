"""How a process reads a file that it has not: it asks for parts of it by a socket, one after the other.

It asks with 12 bytes, offset and length, and is answered with exactly so many bytes as it asked for; or
with none any more. Whoever answers believes nothing: who asks has seen a file that may be an attack.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable

MOST_ASKED = 1024 * 1024
"""Bytes of one part."""
_ASKED = struct.Struct("!QI")


class RangeError(Exception):
    """Who asks does not keep to what was agreed."""


class RangedFile:
    """A file to be read by libav, as a file that lies here would be."""

    def __init__(self, descriptor: int, size: int) -> None:
        """`descriptor`: of the socket; it is closed with this. `size`: of the file, in bytes."""
        self._socket = socket.socket(fileno=descriptor)
        self._size, self._at = size, 0

    def read(self, count: int) -> bytes:
        """The next bytes, at most `count`: libav takes no more. None at the end; OSError if none come."""
        count = min(count, MOST_ASKED, self._size - self._at)
        if count <= 0:
            return b""
        self._socket.sendall(_ASKED.pack(self._at, count))
        data = _received(self._socket, count)
        if len(data) != count:
            raise OSError(errno.EIO, "no more of the input came")
        self._at += count
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Where it is read next; as libav has it, a negative errno if there is no such place."""
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}
        if whence not in bases or bases[whence] + offset < 0:
            return -errno.EINVAL
        self._at = bases[whence] + offset
        return self._at

    def tell(self) -> int:
        """Where it is read next."""
        return self._at

    def close(self) -> None:
        """Ask no more."""
        self._socket.close()


def answer(asker: socket.socket, size: int, read: Callable[[int, int], bytes]) -> None:
    """Answers until nothing more is asked. `read` brings bytes of the file, which has `size` of them.

    RangeError at the first question that nobody asks who is honest; what `read` raises; OSError if the
    answer cannot be given.
    """
    while question := _received(asker, _ASKED.size):
        if len(question) != _ASKED.size:
            raise RangeError("it ended amid a question")
        offset, length = _ASKED.unpack(question)
        if not 0 < length <= MOST_ASKED or offset + length > size:
            raise RangeError(f"it asked for {length} bytes at {offset} of a file of {size} bytes")
        asker.sendall(read(offset, length))


def _received(sender: socket.socket, count: int) -> bytes:
    """So many bytes; less if the other side closed before."""
    data = bytearray(count)
    view, at = memoryview(data), 0
    while at < count:
        more = sender.recv_into(view[at:])
        if not more:
            break
        at += more
    return bytes(view[:at])
