"""What may be sent: marshmallow schemas for every body of the API.

Types are strict (no "5" for 5, no true for 1), unknown fields are refused, and each
schema loads into the plain values that the service takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from common import inputs, settings
from common.failures import KINDS
from common.fields import (
    Bitrate,
    Input,
    OneOf,
    ShortDict,
    ShortList,
    StrictBoolean,
    StrictFloat,
    StrictInteger,
    StrictString,
)
from common.model import Confidence, JobStatus, NodeType, Priority, Scalar
from common.result import check as check_metric

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}", re.ASCII)
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}|", re.ASCII)
_ENCODER = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)
_METRIC = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)

MAX_LOG_LINES = 2000
MAX_TEXT = 16_384
"""Characters in all the texts of a report's metrics; the command line is the longest."""


def _text(longest: int, **kwargs: Any) -> StrictString:
    return StrictString(validate=validate.Length(1, longest), **kwargs)


def _matches(pattern: re.Pattern[str], message: str) -> Any:
    def check(value: str) -> None:
        if not pattern.fullmatch(value):
            raise ValidationError(message)

    return check


def _parses(parse: Callable[[str], object]) -> Any:
    def check(value: str) -> None:
        try:
            parse(value)
        except inputs.InputError as error:
            raise ValidationError(f"{error}.") from error

    return check


_is_id = _matches(_ID, "Must be up to 64 letters, digits and dashes.")
_ALL_PRESETS = sorted({preset for codec in settings.CODECS.values() for preset in codec.presets})


class Strict(Schema):
    """The base of all: unknown fields are refused."""

    class Meta:
        """marshmallow's settings."""

        unknown = RAISE


class NothingSchema(Strict):
    """Requests that say all in their address: no body, or an empty object."""


class ParametersSchema(Strict):
    """The allow-list of job parameters; `common.settings.resolve` checks how they go together."""

    duration = StrictFloat(validate=validate.Range(0.01, 86_400))
    bitrate = Bitrate()
    preset = StrictString(validate=validate.OneOf(_ALL_PRESETS))
    crf = StrictFloat(validate=validate.Range(0, 63))
    width = StrictInteger(validate=[validate.Range(16, 7680), lambda n: _even(n)])
    height = StrictInteger(validate=[validate.Range(16, 4320), lambda n: _even(n)])
    fps = StrictFloat(validate=validate.Range(1, 240))
    codec = StrictString(validate=validate.OneOf(list(settings.CODECS)))
    threads = StrictInteger(validate=validate.Range(1, 256))
    gop = StrictInteger(validate=validate.Range(1, 100_000))
    pixel_format = StrictString(
        validate=validate.OneOf(
            sorted({f for codec in settings.CODECS.values() for f in codec.pixel_formats})
        )
    )
    audio = StrictString(validate=validate.OneOf(["none", "aac", "opus"]))


def _even(value: int) -> None:
    if value % 2:
        raise ValidationError("Must be even.")


def _labels(**kwargs: Any) -> ShortDict:
    return ShortDict(
        most=64,
        keys=StrictString(validate=_matches(_NAME, "A label's name is 1 to 63 letters, digits, and ._/-")),
        values=StrictString(
            validate=_matches(_VALUE, "A label's value is 0 to 63 letters, digits, and ._/-")
        ),
        **kwargs,
    )


def _encoders(**kwargs: Any) -> ShortList:
    name = StrictString(
        validate=_matches(_ENCODER, "Must be the name of an ffmpeg encoder, such as libx264.")
    )
    return ShortList(name, most=64, **kwargs)


class ConstraintsSchema(Strict):
    """What a node must have to run the job."""

    labels = _labels(load_default=dict)
    encoders = _encoders(load_default=list)
    gpu = StrictBoolean(load_default=False)


class SubmitSchema(Strict):
    """`POST /jobs`."""

    scenario = _text(64, required=True)
    input = Input(load_default=None, allow_none=True)
    confidence = OneOf(Confidence, load_default=Confidence.AUTO)
    # As sent: which ones were given matters, and the defaults are the scenario's.
    parameters = fields.Nested(ParametersSchema, load_default=dict)
    priority = OneOf(Priority, load_default=Priority.MEDIUM)
    constraints = fields.Nested(ConstraintsSchema, load_default=lambda: ConstraintsSchema().load({}))


MAX_BATCH = 10_000
"""Jobs in one batch."""


class BatchSchema(Strict):
    """`POST /jobs/batch`."""

    jobs = ShortList(
        fields.Nested(SubmitSchema), most=MAX_BATCH, required=True, validate=validate.Length(min=1)
    )


class RegisterSchema(Strict):
    """`POST /nodes/register`. Only the address is needed; the rest is unknown if it is left out."""

    address = _text(255, required=True)
    id = StrictString(load_default=None, validate=_is_id)
    credential = StrictString(load_default=None, validate=validate.Length(32, 256))
    type = OneOf(NodeType, load_default=None, allow_none=True)
    cpu_threads = StrictInteger(load_default=None, allow_none=True, validate=validate.Range(1, 65_536))
    cpu_model = _text(255, load_default=None, allow_none=True)
    has_gpu = StrictBoolean(load_default=None, allow_none=True)
    gpu_model = _text(255, load_default=None, allow_none=True)
    has_battery = StrictBoolean(load_default=None, allow_none=True)
    ram_bytes = StrictInteger(load_default=None, allow_none=True, validate=validate.Range(0, 2**53))
    labels = _labels(load_default=dict)
    encoders = _encoders(load_default=None, allow_none=True)
    ffmpeg_version = _text(255, load_default=None, allow_none=True)
    max_concurrent_jobs = StrictInteger(load_default=1, validate=validate.Range(1, 1024))
    run_unlabeled = StrictBoolean(load_default=True)
    agent_version = _text(64, load_default=None, allow_none=True)
    instance = StrictString(load_default=None, allow_none=True, validate=_is_id)
    media_roots = ShortList(
        StrictString(validate=_parses(inputs.root_name)), most=64, load_default=None, allow_none=True
    )
    input_hosts = ShortList(
        StrictString(validate=[validate.Length(max=300), _parses(inputs.parse_host_pattern)]),
        most=256,
        load_default=None,
        allow_none=True,
    )


class HeartbeatSchema(Strict):
    """`POST /nodes/{id}/heartbeat`; the body may be left out."""

    leases = ShortList(StrictString(validate=_is_id), most=1024, load_default=None)
    stopping = StrictBoolean(load_default=False)


class LeaveSchema(Strict):
    """`POST /nodes/{id}/leave`; the body may be left out."""

    instance = StrictString(load_default=None, validate=_is_id)


def _log_lines(**kwargs: Any) -> ShortList:
    return ShortList(StrictString(validate=validate.Length(max=4000)), most=MAX_LOG_LINES, **kwargs)


class ProgressSchema(Strict):
    """`POST /jobs/{id}/progress`."""

    node_id = StrictString(required=True, validate=_is_id)
    lease_id = StrictString(required=True, validate=_is_id)
    frame = StrictInteger(load_default=None, allow_none=True, validate=validate.Range(0))
    fps = StrictFloat(load_default=None, allow_none=True, validate=validate.Range(0))
    speed = StrictFloat(load_default=None, allow_none=True, validate=validate.Range(0))
    out_time = StrictFloat(load_default=None, allow_none=True, validate=validate.Range(0))
    percent = StrictFloat(load_default=None, allow_none=True, validate=validate.Range(0, 100))
    log = _log_lines(load_default=list)


class ReleaseSchema(Strict):
    """`POST /jobs/{id}/release`."""

    node_id = StrictString(required=True, validate=_is_id)
    lease_id = StrictString(load_default=None, validate=_is_id)


class ErrorSchema(Strict):
    """Why an encode failed."""

    code = StrictString(load_default="unspecified", validate=validate.OneOf(list(KINDS)))
    message = _text(4000, required=True)


class FailureField(fields.Field[Any]):
    """An error, as an object with code and message, or as a plain sentence."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return ErrorSchema().load({"message": value} if isinstance(value, str) else value)


def _scalar_dict(**kwargs: Any) -> ShortDict:
    return ShortDict(
        most=128,
        keys=StrictString(validate=_matches(_METRIC, "A name is small letters, digits and underscores.")),
        values=fields.Raw(allow_none=True, validate=_is_scalar),
        validate=_is_small,
        **kwargs,
    )


def _is_small(values: dict[str, Any]) -> None:
    """Results are kept, and listed by the thousand."""
    if sum(len(value) for value in values.values() if isinstance(value, str)) > MAX_TEXT:
        raise ValidationError(f"All texts together must be at most {MAX_TEXT} characters long.")


def _is_scalar(value: Any) -> None:
    if not isinstance(value, Scalar):
        raise ValidationError("Must be a number, a string, true, false or null.")


class ReportSchema(Strict):
    """`POST /results`. The plain form has job_id, node_id and perhaps status only."""

    job_id = StrictString(required=True, validate=_is_id)
    node_id = StrictString(required=True, validate=_is_id)
    status = OneOf(JobStatus, only=(JobStatus.COMPLETED, JobStatus.FAILED), load_default=JobStatus.COMPLETED)
    lease_id = StrictString(load_default=None, allow_none=True, validate=_is_id)
    attempt = StrictInteger(load_default=None, allow_none=True, validate=validate.Range(1))
    error = FailureField(load_default=None, allow_none=True)
    metrics = _scalar_dict(load_default=dict)
    analyzer_output = _scalar_dict(load_default=dict)
    log = _log_lines(load_default=list)
    # The master has its own clock; the field is taken because clients of the guide's time send it.
    completed_at = _text(64, load_default=None, allow_none=True)

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


def flatten(errors: Any, prefix: str = "") -> list[dict[str, str]]:
    """marshmallow's nested messages as a list of `{"field", "message"}`."""
    if isinstance(errors, dict):
        # For dicts marshmallow puts a level of "key" and "value" between.
        return [
            item
            for key, value in errors.items()
            for item in flatten(
                value, prefix if key in ("_schema", "key", "value") else f"{prefix}.{key}".strip(".")
            )
        ]
    return [{"field": prefix or "body", "message": str(message)} for message in errors]
