"""What is read quickly means the same to gunicorn's parser, and nothing is read quickly that it refuses.

FFRTMP_TEST_EXAMPLES: how many heads are invented; `make fuzz` has more than `make test`.
"""

from __future__ import annotations

import os
from typing import Any

import gunicorn.config
import gunicorn.http.wsgi
import pytest
from gunicorn.http import Request
from gunicorn.http.body import LengthReader
from gunicorn.http.unreader import IterUnreader
from hypothesis import given, settings
from hypothesis import strategies as st

from master.worker.head import read_head

CLIENT = ("192.0.2.7", 4711)
CFG = gunicorn.config.Config()
for name, value in (("forwarded_allow_ips", ""), ("limit_request_line", 8190)):
    CFG.set(name, value)

METHODS = st.sampled_from([b"GET", b"POST", b"HEAD", b"PATCH", b"get", b"G", b"CONNECT", b"OPTIONS"])
TARGETS = st.one_of(
    st.sampled_from(
        [
            b"/",
            b"/jobs/next?node_id=a&wait=30",
            b"//evil/",
            b"/a#b",
            b"*",
            b"http://h/",
            b"/%2e%zz?",
            b"/a%00b%C3%A9",
            b"/a;b:c@d?e?f",
        ]
    ),
    st.binary(max_size=12).map(lambda more: b"/" + more),
)
NAMES = st.one_of(
    st.sampled_from(
        [b"Host", b"host", b"Content-Length", b"Content-Type", b"Connection", b"Transfer-Encoding"]
    ),
    st.sampled_from(
        [b"Expect", b"X-Request-ID", b"Authorization", b"X_Y", b"Script-Name", b"Upgrade", b"A B"]
    ),
    st.binary(max_size=6),
)
VALUES = st.one_of(
    st.sampled_from(
        [b"localhost", b"close", b"Close", b"keep-alive", b"12", b"+12", b"1 2", b"-1", b"0x1", b"chunked"]
    ),
    st.sampled_from([b"100-continue", b"https", b"  padded\t ", b"\xe9", b"a\x00b", b"a\nb", b""]),
    st.binary(max_size=8),
)
LINES = st.tuples(NAMES, st.sampled_from([b":", b": ", b" :", b"", b":\r\n "]), VALUES).map(b"".join)


def by_gunicorn(head: bytes) -> tuple[dict[str, Any], int, bool]:
    """The environment, the length of the body, and whether no other request follows. Raises if it refuses."""
    request = Request(CFG, IterUnreader([head]), CLIENT)
    _, environ = gunicorn.http.wsgi.create(request, None, CLIENT, ("s", 1), CFG)
    reader = request.body.reader
    return environ, reader.length if isinstance(reader, LengthReader) else 0, request.should_close()


def asked(environ: dict[str, Any]) -> dict[str, Any]:
    """What the client said of it."""
    keys = {"REQUEST_METHOD", "RAW_URI", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH"}
    return {key: each for key, each in environ.items() if key in keys or key.startswith("HTTP_")}


@settings(max_examples=int(os.environ.get("FFRTMP_TEST_EXAMPLES", "400")))
@given(
    METHODS, TARGETS, st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0"]), st.lists(LINES, max_size=5)
)
def test_both_read_the_same(method: bytes, target: bytes, version: bytes, lines: list[bytes]) -> None:
    head = b"\r\n".join([b" ".join([method, target, version]), *lines, b"", b""])
    found = read_head(head)
    if found is not None:
        environ, length, close = by_gunicorn(head)
        assert found.environ == asked(environ)
        assert (found.length, found.close) == (length, close)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /jobs?a=b HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 12\r\nConnection: close\r\n\r\n",
        b"GET /a%20b HTTP/1.1\r\nhost:localhost\r\nAccept: */*\r\nX-Request-ID: a-1\r\n\r\n",
    ],
)
def test_ordinary_heads_are_read_quickly(head: bytes) -> None:
    found = read_head(head)
    assert found is not None
    assert (found.environ, found.length, found.close) == (asked(by_gunicorn(head)[0]), *by_gunicorn(head)[1:])


@pytest.mark.parametrize(
    "line",
    [b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"Host: again", b"X_Y: z", b"X: " + b"y" * 8200],
)
def test_what_takes_more_thought_is_left_to_gunicorn(line: bytes) -> None:
    assert read_head(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + line + b"\r\n\r\n") is None
