"""What agents say of the jobs that they run."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from common.failures import KINDS
from common.fields import (
    Matches,
    OneOf,
    ShortDict,
    ShortList,
    StrictFloat,
    StrictInteger,
    StrictString,
    says,
)
from common.model import Findings, JobStatus
from common.result import METRICS
from common.result import check as check_metric
from common.schema.base import (
    MAX_NUMBER,
    Strict,
    is_id,
    text,
)
from common.schema.findings import FindingsSchema
from common.strictjson import MAX_INTEGER

_is_metric = Matches(r"[a-z][a-z0-9_]{0,63}", "A name is small letters, digits and underscores.")


MAX_LOG_LINES = 2000


MAX_TEXT = 16_384
"""Characters in all the texts of a report's metrics; the command line is the longest."""


def _log_lines(**kwargs: Any) -> ShortList:
    return ShortList(StrictString(validate=validate.Length(max=4000)), most=MAX_LOG_LINES, **kwargs)


class ProgressSchema(Strict):
    """`POST /jobs/{id}/progress`."""

    node_id = StrictString(required=True, validate=is_id, **says("the node; needed"))
    lease_id = StrictString(required=True, validate=is_id, **says("the lease; needed"))
    frame = StrictInteger(
        load_default=None, allow_none=True, validate=validate.Range(0, MAX_NUMBER), **says("frames so far")
    )
    fps = StrictFloat(
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, MAX_NUMBER),
        **says("frames encoded per second"),
    )
    speed = StrictFloat(
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, MAX_NUMBER),
        **says("seconds of video encoded per second"),
    )
    out_time = StrictFloat(
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, MAX_NUMBER),
        **says("seconds of video so far"),
    )
    percent = StrictFloat(
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, 100),
        **says("how much of the attempt's time is over, 0 to 100"),
    )
    seconds_left = StrictFloat(
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, MAX_NUMBER),
        **says("seconds until the attempt ends, as far as that can be told"),
    )
    log = _log_lines(load_default=list, **says("new lines, up to 2000 of up to 4000 characters"))


class ReleaseSchema(Strict):
    """`POST /jobs/{id}/release`."""

    node_id = StrictString(required=True, validate=is_id, **says("the node; needed"))
    lease_id = StrictString(
        load_default=None, validate=is_id, **says("the lease; left out: the one that the node holds")
    )


class ErrorSchema(Strict):
    """Why an encode failed."""

    code = StrictString(load_default="unspecified", validate=validate.OneOf(list(KINDS)))
    message = text(4000, required=True)


_ERROR = ErrorSchema()


class FailureField(fields.Field[Any]):
    """An error, as an object with code and message, or as a plain sentence."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return _ERROR.load({"message": value} if isinstance(value, str) else value)


class ScalarDict(ShortDict):
    """Single values by name.

    marshmallow's way with each entry takes 10 us: it is gone only where something is wrong, for its messages.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, dict) and len(value) <= self.most:
            with suppress(ValidationError, TypeError):
                for name, item in value.items():
                    if name not in METRICS:
                        _is_metric(name)
                    is_scalar(item)
                return dict(value)
        return super()._deserialize(value, attr, data, **kwargs)


def _scalar_dict(**kwargs: Any) -> ScalarDict:
    return ScalarDict(
        most=128,
        keys=StrictString(validate=_is_metric),
        values=fields.Raw(allow_none=True, validate=is_scalar),
        validate=_is_small,
        **kwargs,
    )


def _is_small(values: dict[str, Any]) -> None:
    """Results are kept, and listed by the thousand."""
    if sum(len(value) for value in values.values() if isinstance(value, str)) > MAX_TEXT:
        raise ValidationError(f"All texts together must be at most {MAX_TEXT} characters long.")


def is_scalar(value: Any) -> None:
    """ValidationError unless it is a JSON value without structure, and its number within 64 bits."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValidationError("Must not have a NUL in it.")
    elif isinstance(value, (int, float)):
        if abs(value) > MAX_INTEGER:
            raise ValidationError("Must be a number within 64 bits.")
    elif value is not None:
        raise ValidationError("Must be a number, a string, true, false or null.")


_SHORT = MAX_TEXT // sum(metric.type is str for metric in METRICS.values())
"""Characters that each text of the known metrics may have, so that all together are small."""
_TYPES = {name: metric.type for name, metric in METRICS.items()}


def is_usual(name: str, value: Any) -> bool:
    """Whether it is a known metric of its very type, and not large: then no rule objects to it.

    Of all others the rules say what they may be. A test compares the two.
    """
    if value is None:
        return name in _TYPES
    kind = type(value)
    if kind is not _TYPES.get(name):
        return False
    if kind is str:
        return len(value) <= _SHORT and "\0" not in value
    return bool(0 <= value <= MAX_NUMBER)


class ReportSchema(Strict):
    """`POST /results`. The plain form has job_id, node_id and perhaps status only."""

    job_id = StrictString(required=True, validate=is_id, **says("the job; needed"))
    node_id = StrictString(required=True, validate=is_id, **says("the node; needed"))
    status = OneOf(
        JobStatus,
        only=(JobStatus.COMPLETED, JobStatus.FAILED),
        load_default=JobStatus.COMPLETED,
        **says("`completed` (if left out) or `failed`"),
    )
    lease_id = StrictString(
        load_default=None,
        allow_none=True,
        validate=is_id,
        **says("the lease; left out: the one that the node holds"),
    )
    attempt = StrictInteger(
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, MAX_NUMBER),
        **says("the attempt's number"),
    )
    error = FailureField(
        load_default=None,
        allow_none=True,
        **says("why it failed: a `code` of docs/failures.md and a `message`, or a plain sentence"),
    )
    metrics = _scalar_dict(
        load_default=dict, **says("numbers and texts by name; those that we know must have their types")
    )
    analyzer_output = _scalar_dict(load_default=dict, **says("what follows from the metrics"))
    findings = fields.Nested(
        FindingsSchema,
        load_default=Findings,
        **says("what else came to light: `artifacts`, `repeats`, `probes`, `warnings`, as results have them"),
    )
    log = _log_lines(load_default=list, **says("the last lines, up to 2000 of up to 4000 characters"))
    # The master has its own clock; the field is taken because clients of the guide's time send it.
    completed_at = text(
        64, load_default=None, allow_none=True, **says("taken and not used: the master has its own clock")
    )

    @validates_schema
    def _metrics_have_their_types(self, data: dict[str, Any], **_: Any) -> None:
        errors = {
            name: [message]
            for name, value in data.get("metrics", {}).items()
            if (message := check_metric(name, value)) is not None
        }
        if errors:
            raise ValidationError({"metrics": errors})

    @post_load
    def _without_time(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        data.pop("completed_at")
        return data


MAX_REPORTS = 100
"""Reports in one batch, and jobs that one poll may ask for: the others wait while they are taken."""


class ReportsSchema(Strict):
    """`POST /results/batch`."""

    reports = ShortList(
        fields.Nested(ReportSchema),
        most=MAX_REPORTS,
        required=True,
        validate=validate.Length(min=1),
        **says("the reports, each as `POST /results` takes it; needed"),
    )
