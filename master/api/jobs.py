"""Jobs, as people use them."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, request

from common import problems
from common.model import JobStatus
from common.schema import BatchSchema, SubmitSchema
from master.api.answers import BATCH_BODY, body, caller, farm, invalid, json_response, limit, no_body, query
from master.api.documents import cursor, full_job_document, job_document, parse_cursor, result_document
from master.lifecycle import commands
from master.service import jobs as service
from master.submission import Key

MAX_KEY = 255
"""Characters of an `Idempotency-Key`."""
blueprint = Blueprint("jobs", __name__)


@blueprint.post("/jobs")
def submit() -> Response:
    """Queue a job; once for each `Idempotency-Key`."""
    fields = body(SubmitSchema())
    return json_response(job_document(service.submit(farm(), caller(), fields, _key())), 201)


@blueprint.post("/jobs/batch")
def submit_batch() -> Response:
    """Queue many jobs, all or none; once for each `Idempotency-Key`."""
    fields = body(BatchSchema(), most=BATCH_BODY)
    views = service.submit_batch(farm(), caller(), fields["jobs"], _key())
    return json_response({"jobs": [job_document(view) for view in views], "count": len(views)}, 201)


def _key(what: str = "") -> Key | None:
    """The request's `Idempotency-Key`. `what`: what the address says, where the body says nothing."""
    text = request.headers.get("Idempotency-Key")
    if text is None:
        return None
    if not (0 < len(text) <= MAX_KEY and text.isascii() and text.isprintable()):
        raise invalid(
            [{"field": "Idempotency-Key", "message": f"Must be 1 to {MAX_KEY} printable ASCII characters."}]
        )
    return Key(text, hashlib.sha256(what.encode() + request.get_data()).hexdigest(), caller().owner)


@blueprint.get("/jobs")
def page() -> Response:
    """Unfinished jobs, oldest first, then the finished ones, newest first; a page of them."""
    arguments = query({"status", "limit", "after"})
    size = limit(arguments)
    views, count = service.page(
        farm(), caller(), _status(arguments.get("status")), parse_cursor(arguments.get("after")), size
    )
    return json_response(
        {
            "jobs": [job_document(view) for view in views],
            "count": count,
            "next": cursor(views[-1].job) if len(views) == size else None,
        }
    )


def _status(text: str | None) -> JobStatus | None:
    try:
        return None if text is None else JobStatus(text)
    except ValueError as error:
        raise invalid([{"field": "status", "message": f"Must be one of: {', '.join(JobStatus)}."}]) from error


@blueprint.get("/jobs/<job_id>")
def one(job_id: str) -> Response:
    """One job with its attempts."""
    return json_response(full_job_document(service.get(farm(), caller(), job_id)))


@blueprint.post("/jobs/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """End a job."""
    no_body()
    return json_response(full_job_document(service.change(farm(), caller(), job_id, commands.Cancel())))


@blueprint.post("/jobs/<job_id>/pause")
def pause(job_id: str) -> Response:
    """Hold a pending job back."""
    no_body()
    return json_response(full_job_document(service.change(farm(), caller(), job_id, commands.PauseJob())))


@blueprint.post("/jobs/<job_id>/resume")
def resume(job_id: str) -> Response:
    """Let a paused job wait for a node again."""
    no_body()
    return json_response(full_job_document(service.change(farm(), caller(), job_id, commands.ResumeJob())))


@blueprint.post("/jobs/<job_id>/retry")
def retry(job_id: str) -> Response:
    """Queue a new job that repeats a finished one; once for each `Idempotency-Key`."""
    no_body()
    return json_response(job_document(service.retry(farm(), caller(), job_id, _key(f"retry {job_id} "))), 201)


@blueprint.get("/jobs/<job_id>/logs")
def log(job_id: str) -> Response:
    """What ffmpeg and the agent said; the newest lines, oldest first."""
    return json_response({"job_id": job_id, "lines": service.log(farm(), caller(), job_id)})


@blueprint.get("/jobs/<job_id>/result")
def result(job_id: str) -> Response:
    """What came of a finished job."""
    job = service.get(farm(), caller(), job_id).job
    if not job.status.final:
        raise problems.NO_RESULT(
            f"Job {job_id} is {job.status}; it has no result yet.", job_status=job.status
        )
    return json_response(result_document(job))
