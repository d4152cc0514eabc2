"""What is written quickly of the events that come by the thousand reads back as what the codec writes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from common.model import NO_FINDINGS, Actor, Findings, JobStatus
from master.lifecycle import events as e
from master.store import codec, plain_events
from master.store.formats import FORMAT
from master.store.plain import PlainReader
from tests.store.test_packed_jobs import AT, JOB, JOBS, TEXTS

MOMENTS = st.datetimes(timezones=st.just(UTC))
SCALARS = st.one_of(
    TEXTS,
    st.booleans(),
    st.none(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
)
METRICS = st.dictionaries(TEXTS, SCALARS, max_size=5)
EVENTS: st.SearchStrategy[e.Event] = st.one_of(
    st.builds(e.JobSubmitted, JOBS, MOMENTS),
    st.builds(e.JobClaimed, TEXTS, MOMENTS, TEXTS, TEXTS, st.integers(1, 2**53)),
    st.builds(
        e.JobCompleted,
        TEXTS,
        MOMENTS,
        TEXTS,
        METRICS,
        METRICS,
        TEXTS,
        st.sampled_from([NO_FINDINGS, Findings(warnings=("so",))]),
    ),
    st.builds(e.JobPaused, TEXTS, MOMENTS),
)


def by_codec(event: e.Event) -> object:
    return json.loads(codec.encode_event(event))


def times_alike(document: object) -> object:
    """UTC may be written as Z."""
    return json.loads(json.dumps(document).replace("+00:00", "Z"))


@given(EVENTS)
def test_it_is_the_same_document_but_for_how_utc_is_spelt(event: e.Event) -> None:
    found = plain_events.encode(event)
    if found is not None:
        assert times_alike(json.loads(found)) == times_alike(by_codec(event))


@given(st.lists(EVENTS, max_size=4))
def test_what_is_written_together_reads_back_as_it_was(happened: list[e.Event]) -> None:
    actor = Actor("somebody", "192.0.2.7")
    written = codec.encode_events(happened, actor)
    assert codec.decode_recorded(written, FORMAT) == (actor, happened)


def test_the_three_that_are_ordinary_are_written_so() -> None:
    ordinary: list[e.Event] = [
        e.JobSubmitted(JOB, AT),
        e.JobClaimed("a", AT, "n", "l", 1),
        e.JobCompleted("a", AT, "n", {"fps": 2.0}, {}, "d"),
    ]
    assert all(plain_events.encode(each) for each in ordinary)
    read = PlainReader().submitted(codec.encode_events(ordinary[:1]), FORMAT)
    assert read is not None
    assert [job.id for job in read] == ["a"]


def test_what_has_more_in_it_is_left_to_the_codec() -> None:
    more: list[e.Event] = [
        e.JobSubmitted(replace(JOB, status=JobStatus.PAUSED), AT),
        e.JobCompleted("a", AT, "n", {}, {}, "d", Findings(warnings=("so",))),
        e.JobPaused("a", AT),
    ]
    assert [plain_events.encode(each) for each in more] == [None] * 3
