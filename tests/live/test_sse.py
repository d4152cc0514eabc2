"""Server-sent events are read as they were written, wherever the bytes are cut."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.sse import MAX_EVENT, Event, Parser
from master.live import sse

JSON = st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


def parsed(text: bytes, cuts: list[int] | None = None) -> tuple[list[Event], Parser]:
    parser, events = Parser(), list[Event]()
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts or []), len(text)]
    for begin, end in pairwise(places):
        events += parser.feed(text[begin:end])
    return events, parser


@given(data=st.lists(JSON, min_size=1, max_size=4), cuts=st.lists(st.integers(0, 10_000), max_size=6))
def test_what_the_master_writes_comes_back(data: list[object], cuts: list[int]) -> None:
    text = sse.greeting(7) + b"".join(sse.message("e", each, n) + sse.ALIVE for n, each in enumerate(data))
    events, parser = parsed(text, cuts)
    assert [(each.name, json.loads(each.data), each.id) for each in events] == [
        ("e", each, str(n)) for n, each in enumerate(data)
    ]
    assert parser.retry == sse.RETRY / 1000


@given(cuts=st.lists(st.integers(0, 100), max_size=8))
def test_all_kinds_of_line_ends_and_fields_are_understood(cuts: list[int]) -> None:
    text = "\ufeffdata: one\r\ndata:two\rdata\n\n:comment\nid: 5\nevent: x\nunknown: y\ndata:  z\n\n".encode()
    events, parser = parsed(text, cuts)
    assert events == [Event("message", "one\ntwo\n", ""), Event("x", " z", "5")]
    assert parser.last_id == "5"


def test_an_id_alone_moves_the_place_and_is_no_event() -> None:
    events, parser = parsed(sse.place(12))
    assert (events, parser.last_id) == ([], "12")


def test_an_event_that_did_not_come_whole_moves_nothing() -> None:
    whole = sse.message("e", 1, 1)
    for cut in range(len(whole)):
        parser = Parser("0")
        assert list(parser.feed(whole[:cut])) == []
        assert parser.last_id == "0"


def test_an_event_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="an event of more than"):
        parsed((b"data: " + b"x" * 2**16 + b"\n") * (MAX_EVENT // 2**16 + 1))
