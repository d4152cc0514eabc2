"""Where a request ends is seen as gunicorn's parser sees it, however the bytes are cut."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from gunicorn.http.body import ChunkedReader
from gunicorn.http.unreader import IterUnreader
from hypothesis import given
from hypothesis import strategies as st

from common.problems import Problem
from master.worker.framing import MAX_HEAD, Chunks, end_of_head

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
EXTENSIONS = st.sampled_from([b"", b";a", b";a=b", b' ; a="b c"'])
TRAILERS = st.sampled_from([b"", b"X: y\r\n", b"X: y\r\nZ: \r\n"])


def chunked(pieces: list[tuple[bytes, bytes]], trailers: bytes) -> bytes:
    framed = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), more, piece) for piece, more in pieces)
    return framed + b"0\r\n" + trailers + b"\r\n"


@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=40), EXTENSIONS), max_size=8),
    TRAILERS,
    st.binary(max_size=20),
    st.data(),
)
def test_a_chunked_body_ends_where_the_parser_ends_it(
    pieces: list[tuple[bytes, bytes]], trailers: bytes, behind: bytes, data: st.DataObject
) -> None:
    body = chunked(pieces, trailers)
    chunks, received = Chunks(), bytearray()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body) - 1), max_size=5)))
    for cut in cuts:
        received[:] = body[:cut]
        assert chunks.end(received) is None
    received[:] = body + behind
    assert chunks.end(received) == len(body)
    assert chunks.end(received) == len(body)  # asked again, it says the same

    unreader = IterUnreader([bytes(received)])
    request = SimpleNamespace(parse_headers=lambda *_, **__: [])
    read = ChunkedReader(request, unreader).read(10_000)
    assert read == b"".join(piece for piece, _ in pieces)
    assert unreader.take_buffered() == behind


@given(st.integers(0, len(HEAD) - 1), st.binary(max_size=20))
def test_a_head_ends_with_its_empty_line(cut: int, behind: bytes) -> None:
    assert end_of_head(bytearray(HEAD[:cut])) is None
    assert end_of_head(bytearray(HEAD + behind)) == len(HEAD)


@pytest.mark.parametrize("beginning", [b"GET /\r\n", b"GET / HTTP/1.1\nHost", b"SSH-2.0-x\r\n"])
def test_what_can_never_be_a_head_is_not_waited_for(beginning: bytes) -> None:
    assert end_of_head(bytearray(beginning)) == len(beginning)


def test_a_head_has_64_kib_at_most() -> None:
    head = bytearray(b"GET / HTTP/1.1\r\nX: ")
    head += b"x" * (MAX_HEAD - len(head))
    assert end_of_head(head) is None
    with pytest.raises(Problem, match="more than 65536 bytes"):
        end_of_head(head + b"x")
