"""A large file of which only parts are got: the blocks that were used last are kept. It opens nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

BLOCK = 512 * 1024
"""Bytes of a block."""
MOST = 64
"""Blocks that are kept: 32 MiB."""
AHEAD = 8
"""Blocks that are got at once at most, where the file is read in its order."""


class Blocks:
    """The bytes of one file. For one thread."""

    def __init__(
        self,
        get: Callable[[int, int], bytes],
        size: int,
        *,
        block: int = BLOCK,
        most: int = MOST,
        ahead: int = AHEAD,
    ) -> None:
        """`get` brings so many bytes from an offset on, or raises; `size`: of the file, in bytes."""
        self._get, self.size = get, size
        self._block, self._most, self._ahead = block, most, min(ahead, most)
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        """By their numbers, the longest unused first."""
        self._next = 0
        """The block that comes behind those that were got last."""
        self._run = 0
        """How many were got then."""
        self.got = 0
        """Bytes that were got in all."""

    def read(self, offset: int, length: int) -> bytes:
        """Bytes that the file has; whoever asks sees to it that it has them."""
        first, last = offset // self._block, (offset + length - 1) // self._block
        data = b"".join(self._at(number) for number in range(first, last + 1))
        begin = offset - first * self._block
        return data[begin : begin + length]

    def _at(self, number: int) -> bytes:
        if number not in self._kept:
            self._bring(number)
        self._kept.move_to_end(number)
        return self._kept[number]

    def _bring(self, number: int) -> None:
        """Gets a block; and, while the file is read in its order, twice as many as the last time.

        So never more is got in vain than was needed before.
        """
        wanted = min(2 * self._run, self._ahead) if number == self._next and self._run else 1
        begin, count = number * self._block, 1
        while count < wanted and begin + count * self._block < self.size and number + count not in self._kept:
            count += 1
        length = min(count * self._block, self.size - begin)
        data = self._get(begin, length)
        if len(data) != length:
            raise ValueError(f"{len(data)} bytes came, and not {length}")
        self.got += length
        self._next, self._run = number + count, count
        # The first one is wanted now, so it goes last.
        for each in reversed(range(count)):
            self._kept[number + each] = data[each * self._block : (each + 1) * self._block]
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
