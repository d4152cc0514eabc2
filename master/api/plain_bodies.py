"""Bodies of the ordinary shape, read without a detour: jobs and reports come by the hundred.

msgspec reads the shape, in a tenth of the time that JSON and marshmallow take together. What each value may
be is left to the very fields and validators of `common.schema`. Whatever does not fit in every respect is no
concern of this module: `body()` of `master.api.answers` reads it the long way then, which takes it after all
or says what is wrong with it. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from marshmallow import Schema, ValidationError

from common import strictjson
from common.model import NO_FINDINGS, Confidence, JobStatus, Priority, Scalar
from common.result import check as check_metric
from common.schema import (
    MAX_BATCH,
    MAX_REPORTS,
    BatchSchema,
    ReportSchema,
    ReportsSchema,
    SubmitSchema,
    is_id,
    is_usual,
)

_ABSENT = msgspec.Raw()
_KEPT = 2048
"""Bytes of parameters that are remembered, with what they mean: many jobs have the same."""


class _Job(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """`SubmitSchema`, but for jobs that depend on others."""

    scenario: str
    input: str | msgspec.UnsetType | None = msgspec.UNSET
    output: str | msgspec.UnsetType | None = msgspec.UNSET
    confidence: Confidence | msgspec.UnsetType = msgspec.UNSET
    priority: Priority | msgspec.UnsetType = msgspec.UNSET
    parameters: msgspec.Raw = _ABSENT
    constraints: msgspec.Raw = _ABSENT


class _Batch(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    jobs: list[_Job]


class _Report(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """`ReportSchema`."""

    job_id: str
    node_id: str
    status: JobStatus | msgspec.UnsetType = msgspec.UNSET
    lease_id: str | msgspec.UnsetType | None = msgspec.UNSET
    attempt: int | msgspec.UnsetType | None = msgspec.UNSET
    metrics: dict[str, Scalar] | msgspec.UnsetType = msgspec.UNSET
    analyzer_output: dict[str, Scalar] | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw = _ABSENT
    findings: msgspec.Raw = _ABSENT
    log: msgspec.Raw = _ABSENT
    completed_at: msgspec.Raw = _ABSENT


class _Reports(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    reports: list[_Report]


_JOB, _REPORT = SubmitSchema(), ReportSchema()
_encode = msgspec.json.Encoder().encode
_scenario = lru_cache(maxsize=256)(_JOB.fields["scenario"].deserialize)


def _value(schema: Schema, name: str, sent: Any) -> Any:
    """What a field loads; ValidationError or ValueError if it refuses what was sent."""
    field = schema.fields[name]
    if sent is msgspec.UNSET or sent is _ABSENT:
        default = field.load_default
        return default() if callable(default) else default
    return field.deserialize(strictjson.loads(bytes(sent)) if isinstance(sent, msgspec.Raw) else sent)


@lru_cache(maxsize=256)
def _known(name: str, sent: bytes) -> Any:
    """The same of a job, for what many have in common: nobody changes what was loaded."""
    return _JOB.fields[name].deserialize(strictjson.loads(sent))


_NO_CONSTRAINTS = _value(_JOB, "constraints", _ABSENT)
_NO_PARAMETERS = _value(_JOB, "parameters", _ABSENT)


def _common(name: str, sent: msgspec.Raw, absent: Any) -> Any:
    if sent is _ABSENT:
        return absent
    text = bytes(sent)
    return _known(name, text) if len(text) <= _KEPT else _value(_JOB, name, sent)


def _job(found: _Job) -> dict[str, Any]:
    return {
        "scenario": _scenario(found.scenario),
        "input": _value(_JOB, "input", found.input),
        "output": _value(_JOB, "output", found.output),
        "depends_on": (),
        "confidence": Confidence.AUTO if found.confidence is msgspec.UNSET else found.confidence,
        "parameters": _common("parameters", found.parameters, _NO_PARAMETERS),
        "priority": Priority.MEDIUM if found.priority is msgspec.UNSET else found.priority,
        "constraints": _common("constraints", found.constraints, _NO_CONSTRAINTS),
    }


def _jobs(found: _Batch) -> dict[str, Any]:
    if not 1 <= len(found.jobs) <= MAX_BATCH:
        raise ValueError
    return {"jobs": [_job(each) for each in found.jobs]}


def _metrics(sent: dict[str, Scalar] | msgspec.UnsetType) -> dict[str, Scalar]:
    if sent is not msgspec.UNSET and all(map(is_usual, sent, sent.values())):
        return sent
    metrics: dict[str, Scalar] = _value(_REPORT, "metrics", sent)
    for name, value in metrics.items():
        if check_metric(name, value) is not None:
            raise ValueError
    return metrics


def _report(found: _Report) -> dict[str, Any]:
    lease_id = None if found.lease_id is msgspec.UNSET else found.lease_id
    status = JobStatus.COMPLETED if found.status is msgspec.UNSET else found.status
    if status not in (JobStatus.COMPLETED, JobStatus.FAILED):
        raise ValueError
    _value(_REPORT, "completed_at", found.completed_at)
    return {
        "job_id": is_id(found.job_id),
        "node_id": is_id(found.node_id),
        "status": status,
        "lease_id": None if lease_id is None else is_id(lease_id),
        "attempt": _value(_REPORT, "attempt", found.attempt),
        "error": _value(_REPORT, "error", found.error),
        "metrics": _metrics(found.metrics),
        "analyzer_output": _value(_REPORT, "analyzer_output", found.analyzer_output),
        "findings": NO_FINDINGS if found.findings is _ABSENT else _value(_REPORT, "findings", found.findings),
        "log": _value(_REPORT, "log", found.log),
    }


def _reports(found: _Reports) -> dict[str, Any]:
    if not 1 <= len(found.reports) <= MAX_REPORTS:
        raise ValueError
    return {"reports": [_report(each) for each in found.reports]}


def _reader(shape: type[Any], loaded: Callable[[Any], Any]) -> Callable[[bytes], Any]:
    decode = msgspec.json.Decoder(shape).decode

    def read(data: bytes) -> Any:
        if b"\\u" in data:  # what is written so may be anything, half a character too
            return None
        try:
            found = decode(data)
            # A key that is there twice is refused, and msgspec takes the last one. With each goes a colon.
            if _encode(found).count(b":") != data.count(b":"):
                return None
            return loaded(found)
        except (msgspec.MsgspecError, ValidationError, ValueError, TypeError, OverflowError):
            return None

    return read


READERS: Mapping[type[Schema], Callable[[bytes], Any]] = {
    SubmitSchema: _reader(_Job, _job),
    BatchSchema: _reader(_Batch, _jobs),
    ReportSchema: _reader(_Report, _report),
    ReportsSchema: _reader(_Reports, _reports),
}
"""By schema: what makes of a body what the schema loads; or None, and then that has to be asked."""
