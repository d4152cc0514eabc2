"""What is answered of the whole farm, and what refusals say."""

from __future__ import annotations

from enum import StrEnum

from marshmallow import INCLUDE, Schema, fields, validate

from common.documents.parts import (
    a_count,
    a_flag,
    a_number,
    a_text,
    a_time,
    is_not_negative,
    many,
    next_page,
    texts,
)
from common.fields import OneOf, StrictInteger, StrictString, says
from common.model import JobStatus, NodeStatus, Priority
from common.schema import Strict


class HealthSchema(Strict):
    """The master is there."""

    status = StrictString(required=True, validate=validate.Equal("healthy"))


class ScenarioSchema(Strict):
    """A scenario: what a job that names it encodes."""

    name = a_text()
    width = a_count("pixels")
    height = a_count("pixels")
    fps = a_number("frames per second")
    codec = a_text()
    bitrate = a_text("bits per second, with `k` for 1,000")
    duration = a_number("seconds of video")


class ScenariosSchema(Strict):
    """The catalogue."""

    scenarios = many(ScenarioSchema)
    count = a_count()


class AuditEntrySchema(Strict):
    """One event: who did what, when."""

    seq = a_count("its number in the history")
    at = a_time("when")
    by = a_text("who; null: nobody noted it", allow_none=True)
    address = a_text(
        "the address that the request came from; null: there was none", allow_none=True, data_key="from"
    )
    event = a_text("what, such as `job_canceled`")
    job_id = a_text("the job that it happened to", allow_none=True)
    node_id = a_text("the node that it happened to", allow_none=True)
    token_id = a_text("the token that it happened to", allow_none=True)
    details = fields.Dict(keys=StrictString(), required=True, **says("more, by event"))


class AuditSchema(Strict):
    """A page of the audit."""

    entries = many(AuditEntrySchema)
    next = next_page()
    damaged = texts("files of the audit that cannot be read")


class QueueSchema(Strict):
    """How the queue as a whole stands."""

    paused = a_flag("no job is given to any node")
    jobs = fields.Dict(
        keys=OneOf(JobStatus),
        values=StrictInteger(validate=is_not_negative),
        required=True,
        **says("how many jobs have each status"),
    )


class WaitingSchema(Strict):
    """The jobs of one priority that wait."""

    jobs = a_count("jobs that wait for a node")
    oldest = a_number("seconds since the first of them was submitted; null: none waits", allow_none=True)


class SlotsSchema(Strict):
    """Slots of nodes that are given jobs."""

    used = a_count("slots that are taken")
    free = a_count("slots that are free")


class StuckSchema(Strict):
    """Waiting jobs of one kind that no node can take as things are."""

    job_id = a_text("the first of them")
    jobs = a_count("how many there are")
    reason = a_text("why", allow_none=True)


def _counts(of: type[StrEnum], text: str) -> fields.Dict:
    values = StrictInteger(validate=is_not_negative)
    return fields.Dict(keys=OneOf(of), values=values, required=True, **says(text))


class StatusSchema(Strict):
    """How the master stands, in numbers."""

    version = a_text("of the master")
    protocol = a_count("the protocol that it speaks")
    uptime = a_number("seconds since it started")
    paused = a_flag("no job is given to any node")
    jobs = _counts(JobStatus, "how many jobs have each status")
    parts = _counts(JobStatus, "how many of these are parts of divided jobs")
    waiting = fields.Dict(
        keys=OneOf(Priority),
        values=fields.Nested(WaitingSchema),
        required=True,
        **says("what waits, by priority"),
    )
    nodes = _counts(NodeStatus, "how many nodes have each status")
    slots = fields.Nested(SlotsSchema, required=True)
    stuck = many(StuckSchema, "kinds of waiting jobs that no node can take as things are")


class FieldErrorSchema(Strict):
    """What is wrong with one field."""

    field = a_text("the field, with dots between names: `parameters.width`")
    message = a_text()


class ProblemSchema(Schema):
    """A refusal (RFC 9457); docs/problems.md lists them all. Some carry more than is named here."""

    class Meta:
        """marshmallow's settings."""

        unknown = INCLUDE

    type = a_text("which problem it is, for programs")
    title = a_text("the same for people")
    status = StrictInteger(required=True, validate=validate.Range(300, 599), **says("the HTTP status"))
    detail = a_text("what happened, and what to do")
    request_id = a_text("what the request is called in the master's log")
    errors = fields.List(fields.Nested(FieldErrorSchema), **says("with `invalid`: what to correct"))
