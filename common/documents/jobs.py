"""What is answered of jobs, and to those who run them."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from common.documents.parts import (
    a_count,
    a_number,
    a_text,
    a_time,
    is_not_negative,
    many,
    next_page,
    scalars,
    texts,
)
from common.failures import KINDS
from common.fields import OneOf, StrictBoolean, StrictFloat, StrictInteger, StrictString, says
from common.model import Confidence, JobStatus, Outcome, Priority, Stage
from common.schema import ArtifactSchema, ConstraintsSchema, ParametersSchema, Strict, WindowSchema

MOST_LISTED = 20
"""Jobs that another depends on, which are named wherever it is listed."""


class FailureSchema(Strict):
    """Why an attempt or a job failed."""

    code = a_text("of docs/failures.md", validate=validate.OneOf(list(KINDS)))
    message = a_text("a sentence for people")


class ProgressDocumentSchema(Strict):
    """How far a running attempt is. Unknown is null."""

    frame = a_count("frames so far", allow_none=True)
    fps = a_number("frames encoded per second", allow_none=True)
    speed = a_number("seconds of video encoded per second", allow_none=True)
    out_time = a_number("seconds of video so far", allow_none=True)
    percent = a_number("how much of the attempt's time is over, 0 to 100", allow_none=True)
    seconds_left = a_number("seconds until it ends, as far as that can be told", allow_none=True)


class JobSchema(Strict):
    """A job: one encode that somebody asked for."""

    id = a_text("the job's id")
    scenario = a_text("a name of the catalogue")
    input = a_text("what it encodes; null: a test picture", allow_none=True)
    output = a_text("where what it makes goes; null: it stays on the node", allow_none=True)
    confidence = OneOf(Confidence, required=True)
    parameters = fields.Nested(ParametersSchema, required=True, **says("as they were asked for"))
    status = OneOf(JobStatus, required=True)
    created_at = a_time("when it was submitted")
    retry_count = a_count("attempts after the first")
    priority = OneOf(Priority, required=True)
    constraints = fields.Nested(ConstraintsSchema, required=True)
    max_attempts = a_count("attempts that it gets")
    retry_of = a_text("the job that this one repeats", allow_none=True)
    parent_id = a_text("the job that it is a part of; null: it is whole", allow_none=True)
    part = a_text("which part of that job it is, such as `720p`", allow_none=True)
    twin_of = a_text(
        "the slow part that it runs once more, on another node; null: it is no twin", allow_none=True
    )
    stage = OneOf(Stage, required=True, **says("what its next attempt does"))
    depends_on = texts(
        f"the ids of the jobs that must be completed before it begins; null: more than {MOST_LISTED}, which "
        "`GET /jobs/{id}` answers",
        allow_none=True,
    )
    owner = a_text("the submitter that it belongs to; null: it is the operators'", allow_none=True)
    request_id = a_text("the request that submitted it, as logs have it", allow_none=True)
    node_id = a_text("the node of its newest attempt", allow_none=True)
    started_at = a_time("when its newest attempt began", allow_none=True)
    finished_at = a_time("when it was finished", allow_none=True)
    pending_reason = a_text("why it still waits", allow_none=True)
    progress = fields.Nested(ProgressDocumentSchema, required=True, allow_none=True)
    error = fields.Nested(FailureSchema, required=True, allow_none=True)
    lease_expires_in = StrictFloat(
        validate=is_not_negative, **says("seconds until its lease ends; while it runs only")
    )


class AttemptSchema(Strict):
    """One try of a job on one node."""

    number = a_count("1 for the first; never used twice for one job")
    node_id = a_text()
    started_at = a_time("when it began")
    ended_at = a_time("when it ended; null while it runs", allow_none=True)
    outcome = OneOf(Outcome, required=True, allow_none=True, **says("how it ended; null while it runs"))
    error = fields.Nested(FailureSchema, required=True, allow_none=True)


class FullJobSchema(JobSchema):
    """A job with all that it depends on, and the story of its attempts."""

    depends_on = texts("the ids of the jobs that must be completed before it begins")
    attempts = many(AttemptSchema, "oldest first")


class BatchDocumentSchema(Strict):
    """The jobs of a batch, in the order of the request."""

    jobs = many(JobSchema)
    count = a_count()


class JobsSchema(Strict):
    """A page of jobs."""

    jobs = many(JobSchema)
    count = a_count("all jobs, not just the page's")
    next = next_page()


class LogSchema(Strict):
    """What ffmpeg and the agent said."""

    job_id = a_text()
    lines = texts("the newest lines, oldest first")


class PartSchema(Strict):
    """A completed job whose artifacts another one is handed: a part of it, or another part of its parent."""

    part = a_text("its name, such as `720p`")
    job_id = a_text("the job that it is")
    metrics = scalars("what was produced and what it cost")
    artifacts = many(ArtifactSchema, "the files that it made")
    stage = OneOf(Stage, required=True, **says("what it did"))
    window = fields.Nested(
        WindowSchema, required=True, allow_none=True, **says("the frames of a chunk; null: it is none")
    )


class ClaimedSchema(JobSchema):
    """A job that a node holds the lease of."""

    lease_id = a_text("proves that a report belongs to this attempt")
    attempt = a_count("the attempt's number")
    parts = fields.List(
        fields.Nested(PartSchema),
        **says("what it joins, or begins from: its parts, or of a part the others that it depends on"),
    )
    window = fields.Nested(
        WindowSchema,
        required=True,
        allow_none=True,
        **says("the frames that it encodes, where it is a chunk ([split.md](split.md))"),
    )
    source = StrictString(
        required=True,
        allow_none=True,
        **says("of a part of a split job, or of its join: what its plan found out of the whole input"),
    )
    hand_on = StrictBoolean(
        required=True, **says("true: a plan has to put the input into the file store, for other nodes")
    )


class ClaimSchema(ClaimedSchema):
    """The answer to a poll: the job's fields, and the same once more under `job`; or `job` is null.

    With `max` it has `jobs` and `count`, and nothing else.
    """

    job = fields.Nested(ClaimedSchema, allow_none=True, **says("null: there is none; without `max` only"))
    jobs = fields.List(fields.Nested(ClaimedSchema), **says("with `max` only: the jobs, the best first"))
    count = StrictInteger(validate=is_not_negative, **says("with `max` only: how many there are"))

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(partial=tuple(self._declared_fields), **kwargs)

    @validates_schema
    def _is_one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if "jobs" in data and set(data) != {"jobs", "count"}:
            raise ValidationError("With jobs there is count, and nothing else.")
        if "jobs" not in data and ("job" not in data or "count" in data):
            raise ValidationError("There is job, or jobs and count.")


class RenewedSchema(Strict):
    """The lease was renewed."""

    lease_expires_in = a_number("seconds that it holds from now")
