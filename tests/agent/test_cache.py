"""The cache is bounded, lets the longest unused go first, keeps what is in use, and notices damage."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.cache import Cache

KIB = 1024
SIZE = 64 * KIB


def nothing() -> None: ...


def fill(cache: Cache, number: int, used: float) -> str:
    """A cached file of 64 KiB."""
    data = bytes([number]) * SIZE
    sha256 = hashlib.sha256(data).hexdigest()
    cache.path(sha256).write_bytes(data)
    os.utime(cache.path(sha256), (used, used))
    return sha256


@contextmanager
def opened(cache: Cache, sha256: str) -> Iterator[int]:
    descriptor = cache.open(sha256, nothing)
    assert descriptor is not None
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 4 * SIZE)


def test_what_is_there_is_opened(cache: Cache) -> None:
    sha256 = fill(cache, 1, 1)
    with opened(cache, sha256) as descriptor:
        assert os.pread(descriptor, 3, 0) == b"\1\1\1"
    assert cache.open("0" * 64, nothing) is None


@pytest.mark.parametrize(
    "damaged", [b"", b"\1" * (SIZE - 1), b"\1" * SIZE + b"x", b"\2" + b"\1" * (SIZE - 1)]
)
def test_what_is_damaged_is_removed_and_not_given(cache: Cache, damaged: bytes) -> None:
    sha256 = fill(cache, 1, 1)
    cache.path(sha256).write_bytes(damaged)
    assert cache.open(sha256, nothing) is None
    assert not cache.path(sha256).exists()


def test_what_was_read_through_is_not_read_again(cache: Cache) -> None:
    sha256 = fill(cache, 1, 1)
    looks: list[None] = []
    for _ in range(3):
        descriptor = cache.open(sha256, lambda: looks.append(None))
        assert descriptor is not None
        os.close(descriptor)
    assert len(looks) == 1
    came = fill(cache, 2, 2)
    for descriptor in (cache.take(came), cache.open(came, lambda: looks.append(None))):
        assert descriptor is not None
        os.close(descriptor)
    assert len(looks) == 1


@pytest.mark.parametrize("replaced", [True, False])
def test_what_was_touched_since_is_read_again(cache: Cache, replaced: bool) -> None:
    sha256 = fill(cache, 1, 1)
    with opened(cache, sha256):
        pass
    path = cache.path(sha256)
    size, times = path.stat().st_size, path.stat()
    if replaced:
        path.with_name("other").write_bytes(b"\2" * size)
        path.with_name("other").replace(path)
    else:
        with path.open("r+b") as file:
            file.write(b"\2")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert cache.open(sha256, nothing) is None


def test_the_longest_unused_go_first_and_only_as_many_as_need_be(cache: Cache) -> None:
    names = [fill(cache, number, used) for number, used in enumerate([40, 10, 30, 20])]
    with opened(cache, names[1]):
        pass  # it was the oldest, and is used now
    assert cache.make_room("0" * 64, 2 * SIZE)
    assert [cache.path(name).exists() for name in names] == [True, True, False, False]
    assert cache.make_room("0" * 64, 2 * SIZE)
    assert [cache.path(name).exists() for name in names] == [True, True, False, False]


def test_what_is_in_use_stays(cache: Cache) -> None:
    names = [fill(cache, number, number) for number in range(4)]
    with opened(cache, names[0]), opened(cache, names[1]):
        for name, used in zip(names, range(4), strict=True):
            os.utime(cache.path(name), (used, used))
        assert cache.make_room("0" * 64, 3 * SIZE)
        assert [cache.path(name).exists() for name in names] == [True, True, False, False]
    assert cache.make_room("0" * 64, 3 * SIZE)
    assert [cache.path(name).exists() for name in names] == [False, True, False, False]


def test_unfinished_ones_count_and_go_too(cache: Cache) -> None:
    part = cache.directory / f".{'1' * 64}.part"
    part.write_bytes(b"x" * SIZE * 3)
    os.utime(part, (1, 1))
    kept = fill(cache, 1, 2)
    assert cache.make_room("0" * 64, 3 * SIZE)
    assert not part.exists()
    assert cache.path(kept).exists()


def test_its_own_beginning_does_not_go(cache: Cache) -> None:
    part = cache.directory / f".{'1' * 64}.part"
    part.write_bytes(b"x" * SIZE)
    assert cache.make_room("1" * 64, 4 * SIZE)
    assert part.exists()


def test_a_file_larger_than_the_cache_pushes_nothing_out(cache: Cache) -> None:
    sha256 = fill(cache, 1, 1)
    assert not cache.make_room("0" * 64, 4 * SIZE + 1)
    assert cache.path(sha256).exists()


def test_what_is_not_the_caches_is_let_alone(cache: Cache) -> None:
    other = cache.directory / "notes.txt"
    other.write_bytes(b"x" * SIZE * 9)
    cache.make_room("0" * 64, 4 * SIZE)
    assert other.exists()


def test_a_look_through_can_be_ended(cache: Cache) -> None:
    class EndedError(Exception):
        pass

    def end() -> None:
        raise EndedError

    sha256 = fill(cache, 1, 1)
    with pytest.raises(EndedError):
        cache.open(sha256, end)
    assert cache.path(sha256).exists()
