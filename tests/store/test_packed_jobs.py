"""A job that only waits is the same when it was packed, and whatever is more than that stays a record."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.model import Attempt, Confidence, Constraints, Failure, Job, JobStatus, Priority, Stage
from master.store.codec import decode_record, encode_record
from master.store.formats import FORMAT
from master.store.jobs import Jobs, only_waits, pack, unpack
from master.store.plain import PlainReader

AT = datetime(2026, 1, 1, 12, 30, 1, 234567, tzinfo=UTC)
TEXTS = st.text(max_size=20)
NAMES = st.none() | TEXTS
VALUES = st.one_of(
    TEXTS,
    st.booleans(),
    st.none(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(TEXTS, max_size=3).map(tuple),
)
CONSTRAINTS = st.builds(
    Constraints,
    labels=st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple),
    encoders=st.lists(TEXTS, max_size=2).map(tuple),
    gpu=st.booleans(),
    input=NAMES,
    output=NAMES,
    alone=st.booleans(),
    protocol=st.integers(0, 9),
)
JOBS = st.builds(
    Job,
    id=TEXTS,
    seq=st.integers(0, 2**40),
    scenario=TEXTS,
    confidence=st.sampled_from(Confidence),
    parameters=st.dictionaries(TEXTS, VALUES, max_size=4),
    priority=st.sampled_from(Priority),
    constraints=CONSTRAINTS,
    created_at=st.datetimes(timezones=st.just(UTC)),
    max_attempts=st.integers(1, 9),
    input=NAMES,
    output=NAMES,
    owner=NAMES,
    idempotency_key=NAMES,
    request_digest=NAMES,
    request_id=NAMES,
)
JOB = Job("a", 7, "720p-h264", Confidence.AUTO, {"crf": 23}, Priority.LOW, Constraints(gpu=True), AT, 3)


def kinds(job: Job) -> list[type]:
    """What a number is, is kept too: 1.0 is not 1."""
    return [type(value) for value in job.parameters.values()]


@given(JOBS)
def test_it_is_the_same_when_it_was_packed(job: Job) -> None:
    packed = pack(job)
    assert packed is not None
    assert unpack(job.id, packed) == job
    assert kinds(unpack(job.id, packed)) == kinds(job)


@given(JOBS)
def test_what_is_read_from_disk_is_what_would_be_packed(job: Job) -> None:
    payload = encode_record(job)
    assert decode_record(payload, FORMAT) == job
    plain = PlainReader().record(payload, FORMAT)
    assert plain is not None
    assert unpack(plain.id, plain.packed) == job
    assert kinds(unpack(plain.id, plain.packed)) == kinds(job)
    found = (plain.seq, plain.priority, plain.constraints, plain.input, plain.owner, plain.idempotency_key)
    assert found == (
        job.seq, job.priority, job.constraints, job.input, job.owner, job.idempotency_key,
    )  # fmt: skip


MORE: list[dict[str, Any]] = [
    {"status": JobStatus.PAUSED},
    {"attempts": (Attempt(1, "lease", "node", AT),)},
    {"retry_of": "b"},
    {"parent_id": "b", "part": "720p"},
    {"stage": Stage.PLAN},
    {"depends_on": ("b",), "awaits_jobs": True},
    {"place": 3},
    {"retry_delay": 5.0},
    {"error": Failure("lost", "it was lost")},
    {"metrics": {}},
]


@pytest.mark.parametrize("more", MORE)
def test_what_is_more_than_that_stays_a_record(more: dict[str, Any]) -> None:
    job = replace(JOB, **more)
    assert not only_waits(job)
    assert PlainReader().record(encode_record(job), FORMAT) is None
    held = Jobs()
    held.put(job)
    assert held["a"] is job


def test_each_field_of_a_job_is_packed_or_as_in_every_other_that_only_waits() -> None:
    assert only_waits(JOB)
    for each in fields(Job):
        if each.name in ("id", "seq", "scenario", "confidence", "parameters", "priority", "constraints"):
            continue
        other: Job = replace(JOB, **{each.name: object()})  # type: ignore[arg-type]
        packed = None if not only_waits(other) else "it would be packed"
        in_it = {"created_at", "max_attempts", "input", "output", "owner"}
        in_it |= {"idempotency_key", "request_digest", "request_id"}
        assert (packed is not None) == (each.name in in_it), each.name


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800"], ids=["large", "small", "half a character"])
def test_what_cannot_be_packed_stays_a_record(value: int | str) -> None:
    job = replace(JOB, parameters={"x": value})
    assert pack(job) is None
    held = Jobs()
    held.put(job)
    assert held["a"] is job


def test_jobs_are_found_by_id_and_by_number_and_go() -> None:
    held = Jobs()
    running = replace(JOB, id="b", seq=8, status=JobStatus.RUNNING)
    held.put(JOB)
    held.put(running)
    assert dict(held) == {"a": JOB, "b": running}
    assert (held.at(7), held.at(8)) == (JOB, running)
    assert held["a"] is held["a"], "it is unpacked once while nobody asks for another"
    held.put(replace(JOB, status=JobStatus.RUNNING))
    assert held["a"].status is JobStatus.RUNNING
    held.discard(held["a"])
    assert (list(held), held.get("a"), "a" in held) == (["b"], None, False)
    with pytest.raises(KeyError):
        held.at(7)


def test_other_formats_and_other_things_are_left_to_the_codec() -> None:
    reader = PlainReader()
    payload = encode_record(JOB)
    assert reader.record(payload, FORMAT) is not None
    assert reader.record(payload, FORMAT - 1) is None
    unknown = payload.replace(b'"seq"', b'"sequel":1,"seq"')
    assert reader.record(unknown, FORMAT) is None
    assert reader.record(b"{", FORMAT) is None
