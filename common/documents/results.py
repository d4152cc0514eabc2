"""What is answered of results."""

from __future__ import annotations

from marshmallow import fields

from common.documents.farm import ProblemSchema
from common.documents.jobs import ClaimedSchema, FailureSchema
from common.documents.parts import a_count, a_text, a_time, many, next_page, scalars, texts
from common.fields import OneOf, StrictString, says
from common.model import JobStatus
from common.schema import ArtifactSchema, CrfProbeSchema, RepeatSchema, Strict


class ReportedSchema(Strict):
    """What was reported; a repeat gets the same."""

    job_id = a_text()
    node_id = a_text()
    status = OneOf(JobStatus, only=(JobStatus.COMPLETED, JobStatus.FAILED), required=True)


class ReportTakenSchema(ReportedSchema):
    """What was reported; a repeat gets the same, but for `next`."""

    next = fields.Nested(
        ClaimedSchema,
        allow_none=True,
        **says("with `next=1`: the next job of the node, as `job` of `GET /jobs/next`; null: there is none"),
    )


class ReportOutcomeSchema(ReportedSchema):
    """What was reported, and what came of it."""

    problem = fields.Nested(
        ProblemSchema,
        required=True,
        allow_none=True,
        **says("why it was refused, as `POST /results` answers it; null: it was taken"),
    )


class ReportOutcomesSchema(Strict):
    """What came of each report, in the order of the request."""

    reports = many(ReportOutcomeSchema)
    count = a_count()


class ResultSchema(Strict):
    """The result of a finished job. Unknown is null."""

    job_id = a_text()
    node_id = a_text("the node of its last attempt", allow_none=True)
    scenario = a_text()
    status = OneOf(JobStatus, required=True)
    attempt = a_count("the number of its last attempt", allow_none=True)
    completed_at = a_time("when it was finished", allow_none=True)
    metrics = scalars("what was produced and what it cost", allow_none=True)
    analyzer_output = scalars("what follows from the metrics", allow_none=True)
    sources = fields.Dict(
        keys=StrictString(), values=StrictString(), required=True, **says("how each metric was obtained")
    )
    artifacts = many(ArtifactSchema, "the files that it made")
    repeats = many(RepeatSchema, "each encode, where `confidence` asked for more than one")
    probes = many(CrfProbeSchema, "what was measured to find the CRF for `target_vmaf`")
    warnings = texts("what was not as it should be, and what was made of it")
    error = fields.Nested(FailureSchema, required=True, allow_none=True)


class ResultsSchema(Strict):
    """A page of results."""

    results = many(ResultSchema)
    count = a_count("all results, not just the page's; null: nobody counted", allow_none=True)
    next = next_page()
