"""What agents call while they work."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from flask import Blueprint

from common import problems
from common.documents import ClaimSchema, JobSchema, RenewedSchema, ReportOutcomesSchema, ReportTakenSchema
from common.model import NO_FINDINGS, Failure, Progress, Report
from common.schema import ProgressSchema, ReleaseSchema, ReportSchema, ReportsSchema
from master.api import described
from master.api.answers import Answer, body, caller, farm, json_answer, query
from master.api.application import Later
from master.api.described import BATCH_BODY, HEARD, INSTANCE, LARGE_BODY, Link, describe
from master.api.documents import claim_document, claimed_document, job_document
from master.api.exchange import current
from master.api.queries import NextJobQuery, ReportQuery
from master.pauses import Steps
from master.service import JobView, claiming
from master.service import work as service
from master.service.claiming import Poll

blueprint = Blueprint("work", __name__)

_AGENT = (INSTANCE, HEARD)
_JOB = {"job_id": "/job/id"}
_LEASE = {"node_id": "/job/node_id", "lease_id": "/job/lease_id"}
_NEXT_LEASE = {"node_id": "/next/node_id", "lease_id": "/next/lease_id"}
_said = json.JSONEncoder(sort_keys=True).encode
_REPORTED = ("job_id", "node_id", "status")
"""The fields of a report that its answer repeats."""
_REFUSED = (
    problems.FORBIDDEN,
    problems.UNKNOWN_JOB,
    problems.STALE_LEASE,
    problems.IDENTITY_IN_USE,
    problems.NODE_REVOKED,
)


@blueprint.get("/jobs/next")
@describe(
    ClaimSchema,
    query=NextJobQuery,
    headers=_AGENT,
    answer_headers=(described.RETRY_AFTER,),
    problems=(
        problems.FORBIDDEN,
        problems.UNKNOWN_NODE,
        problems.IDENTITY_IN_USE,
        problems.NODE_REVOKED,
    ),
    links=(
        Link("work.progress", _JOB, _LEASE),
        Link("work.release", _JOB, _LEASE),
        Link("work.report", {}, {**_LEASE, "job_id": "/job/id"}),
    ),
)
def next_job() -> Later:
    """Claim a job for a node, waiting for one if asked to.

    A later poll of the same node ends the earlier one. A lease of this node that is not among `leases` was
    answered into the void, and is given again first. The lease holds for `lease_expires_in`
    seconds; heartbeats and progress renew it. When it ends, the job goes back to the queue. With `max` the
    answer is a list of up to that many jobs, as far as the node has free slots; it waits for the first only.
    """
    return Later(_next_job(query()))


def _next_job(asked: Mapping[str, Any]) -> Steps[Answer]:
    asked_at = time.monotonic()
    poll = Poll(asked["node_id"], asked["leases"], asked["max"] or 1)
    views = yield from claiming.wait_for_jobs(farm(), caller(), poll, asked["wait"])
    return _claimed(views, asked, time.monotonic() - asked_at)


def _claimed(views: Sequence[JobView], asked: Mapping[str, Any], took: float) -> Answer:
    """The answer to a poll. `took`: the seconds that it waited."""
    if asked["max"] is None:
        view = views[0] if views else None
        current().job_id = None if view is None else view.job.id
        answer = json_answer(claim_document(view))
    else:
        answer = json_answer({"jobs": [claimed_document(view) for view in views], "count": len(views)})
    if not views and took < asked["wait"] / 2:
        answer.add("Retry-After", problems.RETRY_AFTER)  # it could not be parked
    return answer


@blueprint.post("/jobs/<job_id>/progress")
@describe(
    RenewedSchema,
    takes=ProgressSchema,
    most=LARGE_BODY,
    headers=_AGENT,
    problems=(*_REFUSED, problems.UNKNOWN_NODE),
)
def progress(job_id: str) -> Answer:
    """How far an attempt is, with new lines of its log; renews the lease."""
    sent = body()
    how_far = Progress(**{each.name: sent[each.name] for each in fields(Progress)})
    left = service.progress(farm(), caller(), job_id, sent["node_id"], sent["lease_id"], how_far, sent["log"])
    return json_answer({"lease_expires_in": left})


@blueprint.post("/jobs/<job_id>/release")
@describe(
    JobSchema,
    takes=ReleaseSchema,
    headers=_AGENT,
    problems=(problems.FORBIDDEN, problems.UNKNOWN_JOB, problems.STALE_LEASE),
)
def release(job_id: str) -> Answer:
    """Hand a job back unharmed, because the agent is stopping. It uses up no attempt."""
    sent = body()
    view = service.release(farm(), caller(), job_id, sent["node_id"], sent["lease_id"])
    return json_answer(job_document(view))


@blueprint.post("/results")
@describe(
    ReportTakenSchema,
    takes=ReportSchema,
    most=LARGE_BODY,
    query=ReportQuery,
    headers=_AGENT,
    problems=(*_REFUSED, problems.RESULT_MISMATCH),
    links=(
        Link("work.progress", {"job_id": "/next/id"}, _NEXT_LEASE),
        Link("work.release", {"job_id": "/next/id"}, _NEXT_LEASE),
    ),
)
def report() -> Answer:
    """The report at the end of an attempt.

    The same report again gets the same answer and changes nothing: it is safe to repeat until it is answered.
    With `next=1` the answer has the node's next job as well, leased to it as `GET /jobs/next` does it. If
    that answer is lost, the same report again with `leases` gets that lease again, as a poll does; without
    `leases` a repeat gets no job.
    """
    asked, sent = query(), body()
    # The answer repeats what was reported, and nothing that changes later: a repeat gets the same.
    answer = {name: sent[name] for name in _REPORTED}
    if asked["next"]:
        view = service.finish_and_claim(farm(), caller(), _report(sent), sent["log"], asked["leases"])
        return json_answer({**answer, "next": claimed_document(view)})
    service.finish(farm(), caller(), _report(sent), sent["log"])
    return json_answer(answer)


@blueprint.post("/results/batch")
@describe(
    ReportOutcomesSchema,
    takes=ReportsSchema,
    most=BATCH_BODY,
    headers=_AGENT,
    problems=(problems.FORBIDDEN,),
)
def report_batch() -> Answer:
    """Up to 100 reports, each taken or refused by itself.

    `problem` says of each why it was refused, as `POST /results` would have answered; the others stand. A
    report that does not fit its schema, or is another node's, refuses the whole batch; of the first kind
    the refusal names it as `reports.17`, counted from 0. It is safe to repeat until it is answered.
    """
    sent: list[dict[str, Any]] = body()["reports"]
    outcomes = service.finish_all(farm(), caller(), [(_report(each), each["log"]) for each in sent])
    reports = [
        {
            **{name: each[name] for name in _REPORTED},
            "problem": None if refused is None else refused.body(current().request_id),
        }
        for each, refused in zip(sent, outcomes, strict=True)
    ]
    return json_answer({"reports": reports, "count": len(reports)})


def _report(sent: dict[str, Any]) -> Report:
    said = {name: value for name, value in sent.items() if name not in ("log", "findings")}
    if (
        sent["findings"] is not NO_FINDINGS and sent["findings"] != NO_FINDINGS
    ):  # what was reported without any has the digest that it always had
        said["findings"] = asdict(sent["findings"])
        if sent["findings"].divisible is None:
            del said["findings"]["divisible"]
    digest = hashlib.sha256(_said(said).encode()).hexdigest()
    error = sent["error"]
    return Report(
        job_id=sent["job_id"],
        node_id=sent["node_id"],
        status=sent["status"],
        lease_id=sent["lease_id"],
        attempt=sent["attempt"],
        error=None if error is None else Failure(error["code"], error["message"]),
        metrics=sent["metrics"],
        analyzer_output=sent["analyzer_output"],
        findings=sent["findings"],
        digest=digest,
    )
