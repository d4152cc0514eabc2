"""Answers are framed as RFC 9112 says, each head and small body in one write, and nothing bad is sent."""

from __future__ import annotations

import pytest

from master.worker.reply import Reply


class Sink:
    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.writes.append(data)


def reply(method: str = "GET", *, chunks: bool = True, close: bool = False) -> tuple[Reply, Sink]:
    made, sink = Reply(method, chunks=chunks, close=close), Sink()
    made.sock = sink
    return made, sink


def sent(sink: Sink) -> tuple[str, bytes]:
    """Head and body."""
    head, _, body = b"".join(sink.writes).partition(b"\r\n\r\n")
    return head.decode("latin-1") + "\r\n", body


def test_head_and_body_are_one_write() -> None:
    made, sink = reply()
    made.start_response("200 OK", [("Content-Length", "2"), ("X-A", " b ")])
    made.write(b"{}")
    made.close()
    assert len(sink.writes) == 1
    head, body = sent(sink)
    assert head.startswith("HTTP/1.1 200 OK\r\nServer: ffmpeg-rtmp\r\nDate: ")
    assert head.endswith("GMT\r\nConnection: keep-alive\r\nContent-Length: 2\r\nX-A: b\r\n")
    assert body == b"{}"
    assert not made.should_close()


def test_a_body_of_unknown_length_comes_in_chunks() -> None:
    made, sink = reply()
    made.start_response("200 OK", [])
    for piece in (b"one", b"", b"four" * 4):
        made.write(piece)
    made.close()
    head, body = sent(sink)
    assert "Transfer-Encoding: chunked\r\n" in head
    assert body == b"3\r\none\r\n10\r\nfourfourfourfour\r\n0\r\n\r\n"
    assert not made.should_close()


def test_to_who_knows_no_chunks_the_end_of_the_connection_is_the_end_of_the_body() -> None:
    made, sink = reply(chunks=False)
    made.start_response("200 OK", [])
    made.write(b"all")
    made.close()
    assert sent(sink)[1] == b"all"
    assert "Connection: close\r\n" in sent(sink)[0]
    assert made.should_close()


@pytest.mark.parametrize(
    ("method", "status", "kept"),
    [("HEAD", "200 OK", True), ("GET", "204 No Content", False), ("GET", "304 x", True)],
)
def test_answers_without_a_body_have_none(method: str, status: str, kept: bool) -> None:
    made, sink = reply(method)
    made.start_response(status, [("Content-Length", "3")])
    made.write(b"abc")
    made.close()
    head, body = sent(sink)
    assert body == b""
    assert ("Content-Length: 3\r\n" in head) is kept
    assert "Transfer-Encoding" not in head
    assert not made.should_close()


def test_no_more_is_sent_than_was_said_and_who_sends_less_ends_the_connection() -> None:
    made, sink = reply()
    made.start_response("200 OK", [("Content-Length", "3")])
    made.write(b"ab")
    made.close()
    assert made.should_close()
    made.write(b"cdef")
    assert sent(sink)[1] == b"abc"
    assert not made.should_close()


@pytest.mark.parametrize("how", ["asked", "forced"])
def test_a_connection_that_ends_is_said_to_end(how: str) -> None:
    made, sink = reply(close=how == "asked")
    if how == "forced":
        made.force_close()
    made.start_response("200 OK", [("Content-Length", "0")])
    made.close()
    assert "Connection: close\r\n" in sent(sink)[0]
    assert made.should_close()


def test_what_is_about_the_connection_is_not_for_the_application_to_say() -> None:
    made, sink = reply()
    named = ["Connection", "Transfer-Encoding", "Keep-Alive", "Server", "Date", "upgrade"]
    made.start_response("200 OK", [("Content-Length", "0"), *((name, "evil") for name in named)])
    made.close()
    assert "evil" not in sent(sink)[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nSet-Cookie: b"),
        ("X", "a\nb"),
        ("X", "\0"),
        ("X", "\u0142"),
        ("X:", "a"),
        ("X\r\nY", "a"),
        ("", "a"),
    ],
)
def test_a_field_cannot_add_another(name: str, value: str) -> None:
    for _ in range(2):  # the second time, too
        made, sink = reply()
        with pytest.raises(ValueError, match="cannot be sent"):
            made.start_response("200 OK", [(name, value)])
        assert sink.writes == []


@pytest.mark.parametrize("status", ["200 OK\r\nX: y", "20", "OK", "2000 OK", ""])
def test_a_status_is_a_status(status: str) -> None:
    with pytest.raises(ValueError, match="invalid status"):
        reply()[0].start_response(status, [])


def test_an_answer_that_turns_out_to_be_a_mistake_is_replaced_before_it_is_sent_and_not_after() -> None:
    made, sink = reply()
    mistake = ValueError("a mistake")
    how = (ValueError, mistake, None)
    made.start_response("200 OK", [("X-Old", "1")])
    made.start_response("500 Bad", [("Content-Length", "0")], how)
    made.close()
    assert "500 Bad" in sent(sink)[0]
    assert "X-Old" not in sent(sink)[0]
    with pytest.raises(ValueError, match="a mistake"):
        made.start_response("500 Bad", [], how)
    with pytest.raises(AssertionError):
        made.start_response("200 OK", [])
