"""What agents call while they work."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from typing import Any

from flask import Blueprint, Response

from common.durations import parse_duration
from common.model import Failure, Progress, Report
from common.schema import ProgressSchema, ReleaseSchema, ReportSchema
from master.api.answers import (
    LARGE_BODY,
    RETRY_AFTER,
    body,
    caller,
    farm,
    invalid,
    json_response,
    number,
    query,
)
from master.api.documents import claim_document, job_document
from master.service import work as service

blueprint = Blueprint("work", __name__)

MAX_WAIT = 60.0
"""Seconds that a poll may ask to be parked."""


@blueprint.get("/jobs/next")
def next_job() -> Response:
    """Claim a job for a node, waiting for one if asked to."""
    arguments = query({"node_id", "wait", "leases"})
    node_id = arguments.get("node_id")
    if not node_id:
        raise invalid([{"field": "node_id", "message": "Missing; write /jobs/next?node_id=<id>."}])
    known = arguments["leases"].split(",") if "leases" in arguments else None
    wait = _wait(arguments.get("wait", "0"))
    asked_at = time.monotonic()
    view = service.next_job(farm(), caller(), node_id, known, wait)
    response = json_response(claim_document(view))
    if view is None and time.monotonic() - asked_at < wait / 2:
        response.headers["Retry-After"] = RETRY_AFTER  # it could not be parked
    return response


def _wait(text: str) -> float:
    """Seconds, as a number or as a duration such as `20s`."""
    with contextlib.suppress(ValueError):  # then it is a plain number, or refused as one
        text = str(parse_duration(text))
    return number("wait", text, 0, MAX_WAIT)


@blueprint.post("/jobs/<job_id>/progress")
def progress(job_id: str) -> Response:
    """How far an attempt is, with new lines of its log; renews the lease."""
    sent = body(ProgressSchema(), most=LARGE_BODY)
    how_far = Progress(**{name: sent[name] for name in ("frame", "fps", "speed", "out_time", "percent")})
    left = service.progress(farm(), caller(), job_id, sent["node_id"], sent["lease_id"], how_far, sent["log"])
    return json_response({"lease_expires_in": left})


@blueprint.post("/jobs/<job_id>/release")
def release(job_id: str) -> Response:
    """Hand a job back unharmed."""
    sent = body(ReleaseSchema())
    view = service.release(farm(), caller(), job_id, sent["node_id"], sent["lease_id"])
    return json_response(job_document(view))


@blueprint.post("/results")
def report() -> Response:
    """The report at the end of an attempt."""
    sent = body(ReportSchema(), most=LARGE_BODY)
    service.finish(farm(), caller(), _report(sent), sent["log"])
    # The answer repeats what was reported, and nothing that changes later: a repeat gets the same.
    return json_response({"job_id": sent["job_id"], "node_id": sent["node_id"], "status": sent["status"]})


def _report(sent: dict[str, Any]) -> Report:
    said = {name: value for name, value in sent.items() if name != "log"}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
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
        digest=digest,
    )
