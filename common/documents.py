"""What is answered: marshmallow schemas for every document of the API.

They describe (`master.api.documents` makes the documents, by hand, since pages of a thousand jobs
must be quick), and tests load real answers with them: no field is missing, none is unknown.
"""

from __future__ import annotations

from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from common.failures import KINDS
from common.fields import Matches, OneOf, StrictBoolean, StrictFloat, StrictInteger, StrictString, says
from common.model import (
    Confidence,
    EnergySource,
    JobStatus,
    NodeStatus,
    NodeType,
    Outcome,
    Priority,
    Role,
    Stage,
    TokenStatus,
    UploadStatus,
)
from common.schema import (
    ArtifactSchema,
    ConstraintsSchema,
    CrfProbeSchema,
    ParametersSchema,
    RepeatSchema,
    Strict,
    is_scalar,
)

_is_timestamp = Matches(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", "Must be a UTC time.")
_is_not_negative = validate.Range(0)


def _text(text: str = "", **kwargs: Any) -> StrictString:
    return StrictString(required=True, **kwargs, **says(text))


def _count(text: str = "", **kwargs: Any) -> StrictInteger:
    return StrictInteger(required=True, validate=_is_not_negative, **kwargs, **says(text))


def _number(text: str = "", **kwargs: Any) -> StrictFloat:
    return StrictFloat(required=True, validate=_is_not_negative, **kwargs, **says(text))


def _flag(text: str = "", **kwargs: Any) -> StrictBoolean:
    return StrictBoolean(required=True, **kwargs, **says(text))


def _time(text: str, **kwargs: Any) -> StrictString:
    return StrictString(required=True, validate=_is_timestamp, **kwargs, **says(text))


def _texts(text: str, **kwargs: Any) -> fields.List[Any]:
    return fields.List(StrictString(), required=True, **kwargs, **says(text))


def _many(schema: type[Schema], text: str = "") -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True, **says(text))


def _next() -> StrictString:
    return _text("ask for it as `after` to get the next page; null on the last", allow_none=True)


class HealthSchema(Strict):
    """The master is there."""

    status = StrictString(required=True, validate=validate.Equal("healthy"))


class NodeSchema(Strict):
    """A node: a machine whose agent runs jobs."""

    id = _text("the node's id")
    address = _text("the name that people know the machine by")
    type = OneOf(NodeType, required=True, allow_none=True)
    cpu_threads = _count(allow_none=True)
    cpu_model = _text(allow_none=True)
    has_gpu = _flag(allow_none=True)
    ram_bytes = _count("bytes", allow_none=True)
    labels = fields.Dict(keys=StrictString(), values=StrictString(), required=True)
    status = OneOf(NodeStatus, required=True, **says("what it can be given now"))
    last_heartbeat = _time("its last sign of life; null after a restart of the master", allow_none=True)
    registered_at = _time("when it registered first")
    running_jobs = _count("jobs that it runs now")
    max_concurrent_jobs = _count("its slots")
    run_unlabeled = _flag("false: it takes only jobs that ask for one of its labels")
    encoders = _texts("ffmpeg's names of encoders that passed a trial; null: nobody tried", allow_none=True)
    ffmpeg_version = _text(allow_none=True)
    gpu_model = _text(allow_none=True)
    has_battery = _flag(allow_none=True)
    agent_version = _text(allow_none=True)
    quarantined = _text("why it was set aside; null: it was not", allow_none=True)
    media_roots = _texts("media roots that it reads inputs from; null: it does not say", allow_none=True)
    input_hosts = _texts("hosts that it fetches inputs from; null: it does not say", allow_none=True)
    output_roots = _texts("media roots that it writes outputs to; null: it does not say", allow_none=True)
    output_hosts = _texts("hosts that it streams to; null: it does not say", allow_none=True)
    energy_source = OneOf(
        EnergySource,
        required=True,
        allow_none=True,
        **says("what tells the energy of an encode; null: nothing"),
    )
    protocol = _count("the protocol that its agent speaks; 0: it does not say")
    credential_expires_at = _time(
        "until when its credential is valid; null: for ever, or it has none", allow_none=True
    )


class TermsSchema(Strict):
    """How long the master waits for signs of life, and when the agent must replace its credential."""

    heartbeat_timeout = _number("seconds of silence that make a node offline")
    lease = _number("seconds of silence that end a lease")
    credential_ttl = _number("seconds that a new credential is valid")
    credential_expires_in = StrictFloat(
        required=True,
        allow_none=True,
        **says("seconds that its credential is still valid; null: for ever"),
    )


class RegisteredSchema(NodeSchema, TermsSchema):
    """The node, and how often the master wants to hear of it."""


class NodesSchema(Strict):
    """All nodes, in the order of their registration."""

    nodes = _many(NodeSchema)
    count = _count()


class HeardSchema(TermsSchema):
    """The answer to a heartbeat."""

    status = OneOf(NodeStatus, required=True)
    leases = _texts("the leases that hold; an agent ends the attempt of one that is missing")


class TokenDocumentSchema(Strict):
    """A token, without its secret."""

    id = _text("the token's id")
    name = _text("who acts with it")
    role = OneOf(Role, required=True)
    status = OneOf(TokenStatus, required=True, **says("what it is worth now"))
    created_at = _time("when it was made")
    expires_at = _time("until when it is valid")
    uses_left = _count("nodes that may still join by it; null: any number", allow_none=True)
    used_at = _time("when a node joined by it last", allow_none=True)
    revoked_at = _time("when an operator ended it", allow_none=True)


class MadeTokenSchema(TokenDocumentSchema):
    """A new token, with its text: it is shown this once."""

    token = _text("its text, which is secret")


class TokensSchema(Strict):
    """All tokens."""

    tokens = _many(TokenDocumentSchema)
    count = _count()


class ScenarioSchema(Strict):
    """A scenario: what a job that names it encodes."""

    name = _text()
    width = _count("pixels")
    height = _count("pixels")
    fps = _number("frames per second")
    codec = _text()
    bitrate = _text("bits per second, with `k` for 1,000")
    duration = _number("seconds of video")


class ScenariosSchema(Strict):
    """The catalogue."""

    scenarios = _many(ScenarioSchema)
    count = _count()


class FailureSchema(Strict):
    """Why an attempt or a job failed."""

    code = _text("of docs/failures.md", validate=validate.OneOf(list(KINDS)))
    message = _text("a sentence for people")


class ProgressDocumentSchema(Strict):
    """How far a running attempt is. Unknown is null."""

    frame = _count("frames so far", allow_none=True)
    fps = _number("frames encoded per second", allow_none=True)
    speed = _number("seconds of video encoded per second", allow_none=True)
    out_time = _number("seconds of video so far", allow_none=True)
    percent = _number("0 to 100", allow_none=True)


class JobSchema(Strict):
    """A job: one encode that somebody asked for."""

    id = _text("the job's id")
    scenario = _text("a name of the catalogue")
    input = _text("what it encodes; null: a test picture", allow_none=True)
    output = _text("where what it makes goes; null: it stays on the node", allow_none=True)
    confidence = OneOf(Confidence, required=True)
    parameters = fields.Nested(ParametersSchema, required=True, **says("as they were asked for"))
    status = OneOf(JobStatus, required=True)
    created_at = _time("when it was submitted")
    retry_count = _count("attempts after the first")
    priority = OneOf(Priority, required=True)
    constraints = fields.Nested(ConstraintsSchema, required=True)
    max_attempts = _count("attempts that it gets")
    retry_of = _text("the job that this one repeats", allow_none=True)
    parent_id = _text("the job that it is a part of; null: it is whole", allow_none=True)
    part = _text("which part of that job it is, such as `720p`", allow_none=True)
    stage = OneOf(Stage, required=True, **says("what its next attempt does"))
    owner = _text("the submitter that it belongs to; null: it is the operators'", allow_none=True)
    node_id = _text("the node of its newest attempt", allow_none=True)
    started_at = _time("when its newest attempt began", allow_none=True)
    finished_at = _time("when it was finished", allow_none=True)
    pending_reason = _text("why it still waits", allow_none=True)
    progress = fields.Nested(ProgressDocumentSchema, required=True, allow_none=True)
    error = fields.Nested(FailureSchema, required=True, allow_none=True)
    lease_expires_in = StrictFloat(
        validate=_is_not_negative, **says("seconds until its lease ends; while it runs only")
    )


class AttemptSchema(Strict):
    """One try of a job on one node."""

    number = _count("1 for the first; never used twice for one job")
    node_id = _text()
    started_at = _time("when it began")
    ended_at = _time("when it ended; null while it runs", allow_none=True)
    outcome = OneOf(Outcome, required=True, allow_none=True, **says("how it ended; null while it runs"))
    error = fields.Nested(FailureSchema, required=True, allow_none=True)


class FullJobSchema(JobSchema):
    """A job with the story of its attempts."""

    attempts = _many(AttemptSchema, "oldest first")


class BatchDocumentSchema(Strict):
    """The jobs of a batch, in the order of the request."""

    jobs = _many(JobSchema)
    count = _count()


class JobsSchema(Strict):
    """A page of jobs."""

    jobs = _many(JobSchema)
    count = _count("all jobs, not just the page's")
    next = _next()


class LogSchema(Strict):
    """What ffmpeg and the agent said."""

    job_id = _text()
    lines = _texts("the newest lines, oldest first")


def _scalars(text: str, **kwargs: Any) -> fields.Dict:
    value = fields.Raw(allow_none=True, validate=is_scalar)
    return fields.Dict(keys=StrictString(), values=value, required=True, **kwargs, **says(text))


class PartSchema(Strict):
    """A completed part of a job."""

    part = _text("its name, such as `720p`")
    job_id = _text("the job that it is")
    metrics = _scalars("what was produced and what it cost")
    artifacts = _many(ArtifactSchema, "the files that it made")


class ClaimedSchema(JobSchema):
    """A job that a node holds the lease of."""

    lease_id = _text("proves that a report belongs to this attempt")
    attempt = _count("the attempt's number")
    parts = fields.List(
        fields.Nested(PartSchema), **says("where it was divided: the parts that it joins, or begins from")
    )


class ClaimSchema(ClaimedSchema):
    """The answer to a poll: the job's fields, and the same once more under `job`; or `job` is null."""

    job = fields.Nested(ClaimedSchema, required=True, allow_none=True)

    def __init__(self, **kwargs: Any) -> None:
        others = tuple(name for name in self._declared_fields if name != "job")
        super().__init__(partial=others, **kwargs)


class RenewedSchema(Strict):
    """The lease was renewed."""

    lease_expires_in = _number("seconds that it holds from now")


class ReportedSchema(Strict):
    """What was reported; a repeat gets the same."""

    job_id = _text()
    node_id = _text()
    status = OneOf(JobStatus, only=(JobStatus.COMPLETED, JobStatus.FAILED), required=True)


class ResultSchema(Strict):
    """The result of a finished job. Unknown is null."""

    job_id = _text()
    node_id = _text("the node of its last attempt", allow_none=True)
    scenario = _text()
    status = OneOf(JobStatus, required=True)
    attempt = _count("the number of its last attempt", allow_none=True)
    completed_at = _time("when it was finished", allow_none=True)
    metrics = _scalars("what was produced and what it cost", allow_none=True)
    analyzer_output = _scalars("what follows from the metrics", allow_none=True)
    sources = fields.Dict(
        keys=StrictString(), values=StrictString(), required=True, **says("how each metric was obtained")
    )
    artifacts = _many(ArtifactSchema, "the files that it made")
    repeats = _many(RepeatSchema, "each encode, where `confidence` asked for more than one")
    probes = _many(CrfProbeSchema, "what was measured to find the CRF for `target_vmaf`")
    warnings = _texts("what was not as it should be, and what was made of it")
    error = fields.Nested(FailureSchema, required=True, allow_none=True)


class ResultsSchema(Strict):
    """A page of results."""

    results = _many(ResultSchema)
    count = _count("all results, not just the page's; null: nobody counted", allow_none=True)
    next = _next()


class AuditEntrySchema(Strict):
    """One event: who did what, when."""

    seq = _count("its number in the history")
    at = _time("when")
    by = _text("who; null: nobody noted it", allow_none=True)
    address = _text(
        "the address that the request came from; null: there was none", allow_none=True, data_key="from"
    )
    event = _text("what, such as `job_canceled`")
    job_id = _text("the job that it happened to", allow_none=True)
    node_id = _text("the node that it happened to", allow_none=True)
    token_id = _text("the token that it happened to", allow_none=True)
    details = fields.Dict(keys=StrictString(), required=True, **says("more, by event"))


class AuditSchema(Strict):
    """A page of the audit."""

    entries = _many(AuditEntrySchema)
    next = _next()
    damaged = _texts("files of the audit that cannot be read")


class FileDocumentSchema(Strict):
    """A file of the file store."""

    sha256 = _text("its name: the SHA-256 of its content")
    size = _count("bytes")
    name = _text("what people call it", allow_none=True)
    media_type = _text("what it is, as who put it said", allow_none=True)
    created_at = _time("when it was put")
    used_at = _time("when it was put, read or referred to last")
    owners = _texts("submitters that it belongs to; a submitter sees itself only")


class FilesSchema(Strict):
    """A page of files, in the order of their hashes."""

    files = _many(FileDocumentSchema)
    count = _count("always null: to count them is to look at them all", allow_none=True)
    next = _next()


class UploadSchema(Strict):
    """A file on its way in."""

    id = _text("the upload's id; null: nothing needs to be sent", allow_none=True)
    sha256 = _text("what was announced")
    size = _count("bytes that were announced")
    offset = _count("bytes that the master has on disk: go on there")
    status = OneOf(
        UploadStatus,
        required=True,
        **says("`receiving`; `checking`: all has come, and is read once more; `stored`"),
    )
    file = fields.Nested(
        FileDocumentSchema, required=True, allow_none=True, **says("the file, once it is stored")
    )


class QueueSchema(Strict):
    """How the queue as a whole stands."""

    paused = _flag("no job is given to any node")
    jobs = fields.Dict(
        keys=OneOf(JobStatus),
        values=StrictInteger(validate=_is_not_negative),
        required=True,
        **says("how many jobs have each status"),
    )


class FieldErrorSchema(Strict):
    """What is wrong with one field."""

    field = _text("the field, with dots between names: `parameters.width`")
    message = _text()


class ProblemSchema(Schema):
    """A refusal (RFC 9457); docs/problems.md lists them all. Some carry more than is named here."""

    class Meta:
        """marshmallow's settings."""

        unknown = INCLUDE

    type = _text("which problem it is, for programs")
    title = _text("the same for people")
    status = StrictInteger(required=True, validate=validate.Range(300, 599), **says("the HTTP status"))
    detail = _text("what happened, and what to do")
    errors = fields.List(fields.Nested(FieldErrorSchema), **says("with `invalid`: what to correct"))
