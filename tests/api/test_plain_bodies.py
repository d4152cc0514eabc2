"""A body that is read quickly means what its schema loads, and none is so that the schema refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from common import strictjson
from common.result import METRICS
from common.result import check as check_metric
from common.schema import BatchSchema, ReportSchema, ReportsSchema, SubmitSchema, is_scalar, is_usual
from common.schema.work import _SHORT, _is_metric
from master.api.plain_bodies import READERS

ID = "5e0c9b0e-0b6c-4b8e-9c3c-0d9d3a6f2c11"
SHA256 = "ab" * 32
ODD = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 1, 5.0, 1.5, 1e300, 2**63 - 1, 2**63, 2**70, "", "a", "é:\0"]),
    st.sampled_from(
        [[], {}, [1], {"a": 1}, "x" * 65, "x" * 5000, "completed", "high", ID, "1:2", "\ud83d\ude00"]
    ),
    st.text(max_size=6),
)
PARAMETERS = st.dictionaries(
    st.sampled_from(["bitrate", "crf", "preset", "fps", "quality", "split", "wrong"]),
    st.sampled_from(["5000k", 23, "fast", 25, ["vmaf"], "auto", 4.0, None, "a:b"]),
    max_size=2,
)
JOB: dict[str, st.SearchStrategy[Any]] = {
    "scenario": st.sampled_from(["720p-h264", "1080p-h264", "nothing"]),
    "input": st.sampled_from([None, "media:films/a.mkv", f"file:{SHA256}", "https://example.com/a", "job:x"]),
    "output": st.sampled_from([None, "files", "media:finished/a.mp4"]),
    "confidence": st.sampled_from(["auto", "low"]),
    "priority": st.sampled_from(["high", "medium", "low"]),
    "parameters": PARAMETERS,
    "constraints": st.sampled_from([{}, {"gpu": True}, {"labels": {"site": "a"}}, {"labels": {"a": 1}}]),
    "depends_on": st.sampled_from([[], [ID], ["#0"]]),
}
METRIC = st.sampled_from(
    ["frames", "fps", "codec", "command", "vmaf_mean", "own_2", "Wrong", "runs", "speed"]
)
REPORT: dict[str, st.SearchStrategy[Any]] = {
    "job_id": st.just(ID),
    "node_id": st.sampled_from(["node-1", ID, "a b"]),
    "status": st.sampled_from(["completed", "failed", "running"]),
    "lease_id": st.sampled_from([None, ID]),
    "attempt": st.sampled_from([None, 1, 2, 3.0, 0]),
    "error": st.sampled_from([None, "it broke", {"code": "timeout", "message": "late"}, {"message": ""}]),
    "metrics": st.dictionaries(
        METRIC, st.sampled_from([0, 1, 2.5, "h264", None, 10**15, -1, "a: b"]), max_size=4
    ),
    "analyzer_output": st.dictionaries(METRIC, st.sampled_from([0.5, "x", None, True]), max_size=2),
    "findings": st.sampled_from([{}, {"warnings": ["so: it was"]}, {"warnings": [1]}, {"repeats": []}]),
    "log": st.sampled_from([[], ["line: 1"], ["x" * 4001], [1]]),
    "completed_at": st.sampled_from([None, "2026-01-01T00:00:00Z", ""]),
}


def written(items: list[tuple[str, Any]], ascii_: bool, spaced: bool) -> str:
    """An object with these keys, perhaps one of them twice."""
    separators = (", ", " : ") if spaced else (",", ":")
    parts = [
        f"{json.dumps(key)}{separators[1]}{json.dumps(value, ensure_ascii=ascii_, separators=separators)}"
        for key, value in items
    ]
    return "{" + separators[0].join(parts) + "}"


def documents(known: dict[str, st.SearchStrategy[Any]], needed: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Objects that mostly are as they should be."""
    ordinary = st.fixed_dictionaries(
        {name: known[name] for name in needed},
        optional={name: each for name, each in known.items() if name not in needed},
    ).map(lambda each: list(each.items()))
    strange = st.lists(st.tuples(st.sampled_from([*known, "other"]), ODD), max_size=2)
    items = st.one_of(
        ordinary, ordinary, ordinary, st.tuples(ordinary, strange).map(lambda both: both[0] + both[1])
    )
    return st.builds(written, items, st.booleans(), st.booleans())


JOBS = documents(JOB, ("scenario",))
REPORTS = documents(REPORT, ("job_id", "node_id"))


def batch(name: str, items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(items, max_size=3).map(lambda each: f'{{"{name}": [{",".join(each)}]}}')
    return st.one_of(several, several, items, st.just(f'{{"{name}": [], "{name}": []}}'), st.just("[]"))


def loaded(schema: Schema, data: bytes) -> Any:
    """None where it is refused."""
    try:
        return schema.load(strictjson.loads(data))
    except (ValidationError, strictjson.StrictJSONError):
        return None


def told_apart(value: Any) -> Any:
    """With the types: 1 is not 1.0, nor True."""
    if isinstance(value, dict):
        return {key: told_apart(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [told_apart(item) for item in value]
    return type(value), value


def check(schema: type[Schema], text: str) -> bool:
    """Whether it was read quickly."""
    data = text.encode(errors="surrogatepass")
    quick = READERS[schema](data)
    if quick is not None:
        assert told_apart(quick) == told_apart(loaded(schema(), data))
    return quick is not None


@settings(max_examples=1500)
@given(JOBS)
def test_a_job_means_the_same(text: str) -> None:
    check(SubmitSchema, text)


@settings(max_examples=700)
@given(batch("jobs", JOBS))
def test_a_batch_of_jobs_means_the_same(text: str) -> None:
    check(BatchSchema, text)


@settings(max_examples=1500)
@given(REPORTS)
def test_a_report_means_the_same(text: str) -> None:
    check(ReportSchema, text)


@settings(max_examples=700)
@given(batch("reports", REPORTS))
def test_a_batch_of_reports_means_the_same(text: str) -> None:
    check(ReportsSchema, text)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (SubmitSchema, '{"scenario":"720p-h264"}'),
        (
            SubmitSchema,
            '{"scenario":"720p-h264","input":"media:a/b","parameters":{"crf":23},"priority":"low"}',
        ),
        (
            BatchSchema,
            '{"jobs": [{"scenario": "720p-h264"}, {"scenario": "é", "constraints": {"gpu": true}}]}',
        ),
        (ReportSchema, '{"job_id":"a","node_id":"b"}'),
        (ReportSchema, '{"job_id":"a","node_id":"b","status":"failed","error":"no: it broke","log":["a:b"]}'),
        (ReportsSchema, '{"reports":[{"job_id":"a","node_id":"b","lease_id":"c","metrics":{"fps":2.0}}]}'),
    ],
)
def test_what_is_ordinary_is_read_quickly(schema: type[Schema], text: str) -> None:
    assert check(schema, text)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (SubmitSchema, '{"scenario":"720p-h264","scenario":"1080p-h264"}'),
        (SubmitSchema, '{"scenario":"720p-h264","scenario":"a\\u003a"}'),
        (SubmitSchema, '{"scenario":"720p-h264","parameters":{"crf":1,"crf":2}}'),
        (BatchSchema, '{"jobs":[{"scenario":"720p-h264"}],"jobs":[{"scenario":"720p-h264"}]}'),
        (ReportSchema, '{"job_id":"a","node_id":"b","metrics":{"fps":1,"fps":2}}'),
        (ReportSchema, '{"job_id":"a","node_id":"b","metrics":{"fps":1e999}}'),
        (ReportSchema, '{"job_id":"a","node_id":"b","metrics":{"fps":NaN}}'),
        (ReportSchema, '{"job_id":"a","node_id":"b","metrics":{"frames":1.5}}'),
        (ReportsSchema, '{"reports":[]}'),
    ],
)
def test_what_is_refused_is_left_to_the_schema(schema: type[Schema], text: str) -> None:
    assert loaded(schema(), text.encode()) is None
    assert not check(schema, text)


@given(
    st.sampled_from([*METRICS, "own", "Wrong"]),
    st.one_of(ODD, st.integers(-2, 2**54), st.floats(allow_nan=True), st.text(max_size=2000)),
)
def test_a_usual_metric_is_one_that_no_rule_objects_to(name: str, value: Any) -> None:
    if is_usual(name, value):
        _is_metric(name)
        is_scalar(value)
        assert check_metric(name, value) is None


def test_all_known_metrics_may_be_usual_at_once() -> None:
    values = {int: 1, float: 1.5, bool: True, str: "x"}
    sent = {name: values[metric.type] for name, metric in METRICS.items()}
    sent |= {name: "x" * _SHORT for name, metric in METRICS.items() if metric.type is str}
    assert all(map(is_usual, sent, sent.values()))
    assert loaded(ReportSchema(), json.dumps({"job_id": "a", "node_id": "b", "metrics": sent}).encode())


def test_the_names_of_known_metrics_are_such_as_metrics_may_have() -> None:
    for name in METRICS:
        _is_metric(name)
