"""What may be sent: marshmallow schemas for every body of the API.

Types are strict (no "5" for 5, no true for 1), unknown fields are refused, and each
schema loads into the plain values that the service takes.
"""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from common import inputs, settings
from common.durations import MOST_SECONDS
from common.failures import KINDS
from common.fields import (
    Bitrate,
    HostPattern,
    Input,
    Matches,
    OneOf,
    ShortDict,
    ShortList,
    StrictBoolean,
    StrictFloat,
    StrictInteger,
    StrictString,
    says,
)
from common.model import Confidence, JobStatus, NodeType, Priority, Role, Scalar
from common.result import check as check_metric
from common.strictjson import MAX_INTEGER

_is_name = Matches(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}", "A label's name is 1 to 63 letters, digits, and ._/-")
_is_value = Matches(
    r"([A-Za-z0-9][A-Za-z0-9._/-]{0,62})?", "A label's value is 0 to 63 letters, digits, and ._/-"
)
_is_encoder = Matches(r"[a-z0-9][a-z0-9_-]{0,31}", "Must be the name of an ffmpeg encoder, such as libx264.")
_is_metric = Matches(r"[a-z][a-z0-9_]{0,63}", "A name is small letters, digits and underscores.")
_is_root = Matches(inputs.ROOT.pattern, "Must be 1 to 63 letters, digits and ._-")
is_id = Matches(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", "Must be up to 64 letters, digits and dashes.")
_is_token_name = Matches(
    r"[A-Za-z][A-Za-z0-9._@-]{0,62}", "Must be 1 to 63 letters, digits, and ._@-, and begin with a letter."
)

MAX_NUMBER = 2**53
"""No number is larger: every JSON parser reads those up to it exactly (RFC 8259, section 6)."""
MAX_LOG_LINES = 2000
MAX_TEXT = 16_384
"""Characters in all the texts of a report's metrics; the command line is the longest."""


def _text(longest: int, **kwargs: Any) -> StrictString:
    return StrictString(validate=validate.Length(1, longest), **kwargs)


_ALL_PRESETS = sorted({preset for codec in settings.CODECS.values() for preset in codec.presets})


class Strict(Schema):
    """The base of all: unknown fields are refused."""

    class Meta:
        """marshmallow's settings."""

        unknown = RAISE


class NothingSchema(Strict):
    """Requests that say all in their address: no body, or an empty object."""


class SignInSchema(Strict):
    """What a person signs in with."""

    token = _text(2048, required=True, **says("of an operator, a submitter or a viewer"))


def _even(value: int) -> None:
    if value % 2:
        raise ValidationError("Must be even.")


class ParametersSchema(Strict):
    """The allow-list of job parameters; `common.settings.resolve` checks how they go together."""

    duration = StrictFloat(
        validate=validate.Range(0.01, 86_400),
        **says(
            "seconds of video, 0.01 to 86,400; of an input at most what it has, and all of it if left out"
        ),
    )
    bitrate = Bitrate(
        **says('bits per second, 10k to 500M: `"5000k"`, `"2.5M"` or a number; not together with `crf`')
    )
    preset = StrictString(validate=validate.OneOf(_ALL_PRESETS), **says("one of the codec's presets"))
    crf = StrictFloat(
        validate=validate.Range(0, 63), **says("constant quality, 0 to 51, for vp9 and av1 to 63")
    )
    width = StrictInteger(
        validate=[validate.Range(16, 7680), _even], **says("pixels, even, 16 to 7680", multipleOf=2)
    )
    height = StrictInteger(
        validate=[validate.Range(16, 4320), _even], **says("pixels, even, 16 to 4320", multipleOf=2)
    )
    fps = StrictFloat(validate=validate.Range(1, 240), **says("frames per second, 1 to 240"))
    codec = StrictString(
        validate=validate.OneOf(list(settings.CODECS)), **says("`h264`, `h265`, `vp9` or `av1`")
    )
    threads = StrictInteger(validate=validate.Range(1, 256), **says("1 to 256"))
    gop = StrictInteger(
        validate=validate.Range(1, 100_000), **says("frames between key frames at most, 1 to 100,000")
    )
    pixel_format = StrictString(
        validate=validate.OneOf(
            sorted({f for codec in settings.CODECS.values() for f in codec.pixel_formats})
        ),
        **says("`yuv420p`, `yuv420p10le`, and for h264 and h265 `yuv422p`, `yuv444p`"),
    )
    audio = StrictString(
        validate=validate.OneOf(["none", "aac", "opus"]),
        **says("`none`, `aac` (not in vp9) or `opus`; left out: none, but the sound of an input is kept"),
    )


def _labels(**kwargs: Any) -> ShortDict:
    return ShortDict(
        most=64,
        keys=StrictString(validate=_is_name),
        values=StrictString(validate=_is_value),
        **kwargs,
    )


def _encoders(**kwargs: Any) -> ShortList:
    return ShortList(StrictString(validate=_is_encoder), most=64, **kwargs)


class ConstraintsSchema(Strict):
    """What a node must have to run the job."""

    labels = _labels(load_default=dict, **says("names and values that it must carry"))
    encoders = _encoders(load_default=list, **says("ffmpeg's names of what it must be able to use"))
    gpu = StrictBoolean(load_default=False, **says("true: it must have a GPU"))


class SubmitSchema(Strict):
    """`POST /jobs`."""

    scenario = _text(64, required=True, **says("a name of the catalogue; the only one needed"))
    input = Input(
        load_default=None,
        allow_none=True,
        **says(
            "what to encode: `media:ROOT/PATH` or `https://HOST/PATH` ([inputs.md](inputs.md)); "
            "left out: a test picture"
        ),
    )
    confidence = OneOf(
        Confidence,
        load_default=Confidence.AUTO,
        **says("how sure the measurement must be: `auto` (if left out), `low`, `medium`, `high`"),
    )
    # As sent: which ones were given matters, and the defaults are the scenario's.
    parameters = fields.Nested(ParametersSchema, load_default=dict, **says("what differs from the scenario"))
    priority = OneOf(
        Priority, load_default=Priority.MEDIUM, **says("`high`, `medium` (if left out) or `low`")
    )
    constraints = fields.Nested(
        ConstraintsSchema,
        load_default=lambda: ConstraintsSchema().load({}),
        **says(
            "what a node must have: `labels` (names and values), `encoders` (ffmpeg's names), `gpu` (true)"
        ),
    )


MAX_BATCH = 10_000
"""Jobs in one batch."""


class BatchSchema(Strict):
    """`POST /jobs/batch`."""

    jobs = ShortList(
        fields.Nested(SubmitSchema),
        most=MAX_BATCH,
        required=True,
        validate=validate.Length(min=1),
        **says("the jobs, each as `POST /jobs` takes it; needed"),
    )


class RegisterSchema(Strict):
    """`POST /nodes/register`. Only the address is needed; the rest is unknown if it is left out."""

    address = _text(
        255,
        required=True,
        **says("the name that people know the machine by, up to 255 characters; the only one needed"),
    )
    id = StrictString(
        load_default=None,
        validate=is_id,
        **says("up to 64 letters, digits and dashes; the master makes one if it is left out"),
    )
    credential = StrictString(
        load_default=None,
        validate=validate.Length(32, 256),
        **says("a secret of 32 to 256 characters, of the node's own making"),
    )
    type = OneOf(NodeType, load_default=None, allow_none=True, **says("`laptop`, `server` or `desktop`"))
    cpu_threads = StrictInteger(
        load_default=None, allow_none=True, validate=validate.Range(1, 65_536), **says("1 to 65,536")
    )
    cpu_model = _text(255, load_default=None, allow_none=True, **says("text"))
    has_gpu = StrictBoolean(load_default=None, allow_none=True, **says("true or false"))
    gpu_model = _text(255, load_default=None, allow_none=True, **says("text"))
    has_battery = StrictBoolean(load_default=None, allow_none=True, **says("true or false"))
    ram_bytes = StrictInteger(
        load_default=None, allow_none=True, validate=validate.Range(0, MAX_NUMBER), **says("bytes")
    )
    labels = _labels(load_default=dict, **says("up to 64 names and values, of letters, digits and `._/-`"))
    encoders = _encoders(
        load_default=None,
        allow_none=True,
        **says("ffmpeg's names of the encoders that passed a trial; left out: any encoder is assumed"),
    )
    ffmpeg_version = _text(255, load_default=None, allow_none=True, **says("text"))
    max_concurrent_jobs = StrictInteger(
        load_default=1, validate=validate.Range(1, 1024), **says("slots, 1 to 1024; 1 if left out")
    )
    run_unlabeled = StrictBoolean(
        load_default=True, **says("false: take only jobs that ask for one of its labels; true if left out")
    )
    agent_version = _text(64, load_default=None, allow_none=True, **says("text"))
    instance = StrictString(
        load_default=None, allow_none=True, validate=is_id, **says("names the agent's process")
    )
    media_roots = ShortList(
        StrictString(validate=_is_root),
        most=64,
        load_default=None,
        allow_none=True,
        **says("names of the media roots that it reads inputs from; left out: it reads none"),
    )
    input_hosts = ShortList(
        HostPattern(),
        most=256,
        load_default=None,
        allow_none=True,
        **says(
            "hosts that it fetches inputs from, as `example.com`, `*.example.com`, "
            "`http://example.com:8000`; left out: none"
        ),
    )


class CredentialSchema(Strict):
    """`POST /nodes/{id}/credential`."""

    credential = StrictString(
        required=True,
        validate=validate.Length(32, 256),
        **says("a new secret of 32 to 256 characters, of the node's own making; needed"),
    )


TOKEN_ROLES = (Role.JOIN, Role.SUBMITTER, Role.VIEWER, Role.OPERATOR)
"""The roles that a token may have."""


class TokenSchema(Strict):
    """`POST /tokens`. What is left out depends on the role (`master.service.tokens`)."""

    role = OneOf(
        Role,
        only=TOKEN_ROLES,
        load_default=Role.JOIN,
        **says("`join` (if left out), `submitter`, `viewer` or `operator`"),
    )
    name = StrictString(
        load_default=None,
        validate=_is_token_name,
        **says(
            "who acts with it, as the audit and the `owner` of a job have it: 1 to 63 letters, "
            "digits and `._@-`; "
            "made up if left out. Several tokens may share one, so that one can take the place of another"
        ),
    )
    ttl = StrictFloat(
        load_default=None,
        validate=validate.Range(1, MOST_SECONDS),
        **says("how long it is valid, in seconds; if left out a day for `join`, and 90 days for the others"),
    )
    uses = StrictInteger(
        allow_none=True,
        validate=validate.Range(1, 1_000_000),
        **says("how many nodes a join token lets in; 1 if left out, null: any number"),
    )


class HeartbeatSchema(Strict):
    """`POST /nodes/{id}/heartbeat`; the body may be left out."""

    leases = ShortList(
        StrictString(validate=is_id),
        most=1024,
        load_default=None,
        **says("the `lease_id` of each job it works on; left out, or without a body: all are renewed"),
    )
    stopping = StrictBoolean(
        load_default=False,
        **says("true: its agent is about to end, and gets nothing new until it registers again"),
    )


class LeaveSchema(Strict):
    """`POST /nodes/{id}/leave`; the body may be left out."""

    instance = StrictString(
        load_default=None,
        validate=is_id,
        **says("the agent's process as registered: the late goodbye of an earlier one changes nothing"),
    )


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
        load_default=None, allow_none=True, validate=validate.Range(0, 100), **says("0 to 100")
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
    message = _text(4000, required=True)


class FailureField(fields.Field[Any]):
    """An error, as an object with code and message, or as a plain sentence."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return ErrorSchema().load({"message": value} if isinstance(value, str) else value)


def _scalar_dict(**kwargs: Any) -> ShortDict:
    return ShortDict(
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
    if not isinstance(value, Scalar):
        raise ValidationError("Must be a number, a string, true, false or null.")
    if isinstance(value, str) and "\0" in value:
        raise ValidationError("Must not have a NUL in it.")
    if isinstance(value, int | float) and abs(value) > MAX_INTEGER:
        raise ValidationError("Must be a number within 64 bits.")


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
    log = _log_lines(load_default=list, **says("the last lines, up to 2000 of up to 4000 characters"))
    # The master has its own clock; the field is taken because clients of the guide's time send it.
    completed_at = _text(
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
