"""Who asks for parts of a file gets them as from a file; who asks for what there is not gets nothing more."""

from __future__ import annotations

import errno
import os
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO

import pytest

from agent.chunks.ranged import MOST_ASKED, RangedFile, RangeError, answer

DATA = random.Random(2).randbytes(3 * MOST_ASKED + 17)
Read = Callable[[int, int], bytes]


def of_data(offset: int, length: int) -> bytes:
    return DATA[offset : offset + length]


@contextmanager
def answered(read: Read = of_data) -> Iterator[socket.socket]:
    """The asker's end of a socket, at the other end of which all is answered."""
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=_answer, args=(ours, read))
    thread.start()
    with theirs:
        yield theirs
    thread.join()


def _answer(ours: socket.socket, read: Read) -> None:
    with ours, suppress(OSError, RangeError):
        answer(ours, len(DATA), read)


def test_it_reads_as_a_file_does() -> None:
    chance, real = random.Random(3), BytesIO(DATA)
    with answered() as asker:
        file = RangedFile(os.dup(asker.fileno()), len(DATA))
        for _ in range(300):
            whence = chance.choice([os.SEEK_SET, os.SEEK_CUR, os.SEEK_END])
            offset = chance.randrange(-len(DATA), 2 * len(DATA))
            base = {os.SEEK_SET: 0, os.SEEK_CUR: real.tell(), os.SEEK_END: len(DATA)}[whence]
            if base + offset < 0:
                assert file.seek(offset, whence) == -errno.EINVAL
            else:
                assert file.seek(offset, whence) == real.seek(offset, whence)
            assert file.tell() == real.tell()
            count = chance.choice([0, 1, 4096, 100_000])
            assert file.read(count) == real.read(count)
        file.close()


def test_it_never_gives_more_than_fits() -> None:
    with answered() as asker:
        file = RangedFile(os.dup(asker.fileno()), len(DATA))
        assert len(file.read(2 * MOST_ASKED)) == MOST_ASKED
        file.close()


def test_a_seek_of_a_kind_that_there_is_not_is_refused_and_changes_nothing() -> None:
    with answered() as asker:
        file = RangedFile(os.dup(asker.fileno()), len(DATA))
        file.seek(5)
        assert file.seek(0, 0x10000) == -errno.EINVAL
        assert file.read(3) == DATA[5:8]
        file.close()


def test_when_no_more_comes_reading_fails() -> None:
    def fail(_offset: int, _length: int) -> bytes:
        raise OSError("the master is away")

    with answered(fail) as asker:
        file = RangedFile(os.dup(asker.fileno()), len(DATA))
        with pytest.raises(OSError, match=r"no more of the input came|reset|Broken pipe"):
            file.read(10)
        file.close()


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (struct.pack("!QI", 0, 0), "it asked for 0 bytes at 0"),
        (struct.pack("!QI", 0, MOST_ASKED + 1), f"it asked for {MOST_ASKED + 1} bytes"),
        (struct.pack("!QI", len(DATA), 1), f"it asked for 1 bytes at {len(DATA)}"),
        (struct.pack("!QI", len(DATA) - 5, 6), "it asked for 6 bytes"),
        (struct.pack("!QI", 2**64 - 1, 1), "it asked for 1 bytes at 18446744073709551615"),
        (b"GET / HTTP/1", "it asked for"),
        (b"half", "it ended amid a question"),
    ],
)
def test_what_no_honest_reader_asks_is_not_answered(question: bytes, why: str) -> None:
    ours, theirs = socket.socketpair()
    read: list[tuple[int, int]] = []

    def note(offset: int, length: int) -> bytes:
        read.append((offset, length))
        return DATA[offset : offset + length]

    with ours, theirs:
        theirs.sendall(struct.pack("!QI", 7, 2) + question)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(RangeError, match=why):
            answer(ours, len(DATA), note)
        ours.close()
        assert theirs.recv(100) == DATA[7:9]
        assert theirs.recv(100) == b""
    assert read == [(7, 2)]


def test_who_asks_no_more_ends_it() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        answer(ours, len(DATA), of_data)
