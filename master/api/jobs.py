"""Jobs, as people use them."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response
from marshmallow import ValidationError

from common import problems
from common.documents import (
    BatchDocumentSchema,
    FullJobSchema,
    JobSchema,
    JobsSchema,
    LogSchema,
    ResultSchema,
)
from common.schema import BatchSchema, SubmitSchema
from master.api.answers import Answer, body, caller, farm, json_answer, no_body, query, sent
from master.api.content import RANGE, content_response
from master.api.described import BATCH_BODY, IDEMPOTENCY_KEY, LAST_EVENT_ID, Link, describe, is_key
from master.api.documents import cursor, full_job_document, job_document, result_document
from master.api.exchange import current
from master.api.queries import JobsQuery, LogQuery
from master.api.streams import last_event_id, may_still, stream_response
from master.lifecycle import commands
from master.live import MEDIA_TYPE
from master.service import JobView, files, live
from master.service import jobs as service
from master.submission import Key

blueprint = Blueprint("jobs", __name__)

_UNKNOWN = (problems.UNKNOWN_JOB,)
_REFUSED = (
    problems.UNKNOWN_SCENARIO,
    problems.FORBIDDEN,
    problems.UNKNOWN_JOB,
    problems.UNKNOWN_FILE,
    problems.DEPENDENCY_FAILED,
    problems.KEY_REUSED,
    problems.TOO_MANY,
)
_LINKS = tuple(
    Link(f"jobs.{verb}", {"job_id": "/id"})
    for verb in ("one", "cancel", "pause", "resume", "retry", "log", "result")
)


@blueprint.post("/jobs")
@describe(
    JobSchema,
    status=201,
    takes=SubmitSchema,
    headers=(IDEMPOTENCY_KEY,),
    problems=_REFUSED,
    links=_LINKS,
)
def submit() -> Answer:
    """Queue a job.

    A key is remembered as long as its job: until that moves to the archive.
    """
    return _queued(service.submit(farm(), caller(), body(), _key()))


@blueprint.post("/jobs/batch")
@describe(
    BatchDocumentSchema,
    status=201,
    takes=BatchSchema,
    most=BATCH_BODY,
    headers=(IDEMPOTENCY_KEY,),
    problems=_REFUSED,
)
def submit_batch() -> Answer:
    """Queue up to 10,000 jobs, all or none.

    A refusal names the job as `jobs.17`, counted from 0.
    """
    views = service.submit_batch(farm(), caller(), body()["jobs"], _key())
    return json_answer({"jobs": [job_document(view) for view in views], "count": len(views)}, 201)


def _queued(view: JobView) -> Answer:
    current().job_id = view.job.id
    return json_answer(job_document(view), 201)


def _key(what: str = "") -> Key | None:
    """The request's `Idempotency-Key`. `what`: what the address says, where the body says nothing."""
    text = current().header(IDEMPOTENCY_KEY.name)
    if text is None:
        return None
    try:
        is_key(text)
    except ValidationError as error:
        raise problems.invalid_field(IDEMPOTENCY_KEY.name, str(error.messages[0])) from error
    return Key(text, hashlib.sha256(what.encode() + sent()).hexdigest(), caller().owner)


@blueprint.get("/jobs")
@describe(JobsSchema, query=JobsQuery, slow=True)
def page() -> Answer:
    """Unfinished jobs, oldest first, then the finished ones, newest first; a page of them."""
    asked = query()
    views, count = service.page(
        farm(),
        caller(),
        asked["status"],
        asked["after"],
        asked["limit"],
        asked["parent_id"],
        asked["id_prefix"],
        asked["depends_on"],
        whole=asked["whole"],
    )
    return json_answer(
        {
            "jobs": [job_document(view) for view in views],
            "count": count,
            "next": cursor(views[-1].job) if len(views) == asked["limit"] else None,
        }
    )


@blueprint.get("/jobs/<job_id>")
@describe(FullJobSchema, problems=_UNKNOWN)
def one(job_id: str) -> Answer:
    """One job with its attempts."""
    return json_answer(full_job_document(service.get(farm(), caller(), job_id)))


@blueprint.post("/jobs/<job_id>/cancel")
@describe(FullJobSchema, problems=(*_UNKNOWN, problems.JOB_FINISHED))
def cancel(job_id: str) -> Answer:
    """End a job that is not finished. Its node hears of it with its next report."""
    no_body()
    return json_answer(full_job_document(service.change(farm(), caller(), job_id, commands.Cancel())))


@blueprint.post("/jobs/<job_id>/pause")
@describe(FullJobSchema, problems=(*_UNKNOWN, problems.JOB_RUNNING, problems.JOB_FINISHED))
def pause(job_id: str) -> Answer:
    """Hold a pending job back: no node gets it until it is resumed. Asking twice changes nothing more."""
    no_body()
    return json_answer(full_job_document(service.change(farm(), caller(), job_id, commands.PauseJob())))


@blueprint.post("/jobs/<job_id>/resume")
@describe(FullJobSchema, problems=(*_UNKNOWN, problems.JOB_FINISHED))
def resume(job_id: str) -> Answer:
    """Let a paused job wait for a node again."""
    no_body()
    return json_answer(full_job_document(service.change(farm(), caller(), job_id, commands.ResumeJob())))


@blueprint.post("/jobs/<job_id>/retry")
@describe(
    JobSchema,
    status=201,
    headers=(IDEMPOTENCY_KEY,),
    problems=(
        *_UNKNOWN,
        problems.JOB_NOT_FINISHED,
        problems.PART_OF_JOB,
        problems.UNKNOWN_FILE,
        problems.DEPENDENCY_FAILED,
        problems.KEY_REUSED,
        problems.TOO_MANY,
    ),
    links=_LINKS,
)
def retry(job_id: str) -> Answer:
    """Queue a new job that asks for the same as a finished one, with `retry_of`.

    A job that has parts makes all of them anew; a part cannot be retried alone.
    """
    no_body()
    return _queued(service.retry(farm(), caller(), job_id, _key(f"retry {job_id} ")))


@blueprint.get("/jobs/<job_id>/logs")
@describe(
    LogSchema,
    query=LogQuery,
    headers=(LAST_EVENT_ID,),
    problems=(*_UNKNOWN, problems.UNAVAILABLE),
    streams=MEDIA_TYPE,
)
def log(job_id: str) -> Answer | Response:
    """What ffmpeg and the agent said; the newest lines, oldest first.

    With `follow=1` the lines come as server-sent events, as they are written, until the job is finished:
    [events.md](events.md) says how.
    """
    asked, who = query(), caller()
    after = last_event_id(asked["after"]) or 0
    if asked["follow"]:
        return stream_response(lambda: live.follow(farm(), who, job_id, after, may_still()))
    return json_answer({"job_id": job_id, "lines": service.log(farm(), caller(), job_id)})


@blueprint.get("/jobs/<job_id>/artifacts/<path:path>")
@describe(
    media_type="*/*",
    partial=True,
    headers=(RANGE,),
    problems=(*_UNKNOWN, problems.UNKNOWN_FILE, problems.WRONG_RANGE),
)
def artifact(job_id: str, path: str) -> Response:
    """What a job made and stored, by its path in the result; or with `Range` a part of it.

    It comes as what it is, so a player can follow a playlist from here.
    """
    entry, file, made = files.artifact(farm(), caller(), job_id, path)
    return content_response(entry, file, made.media_type, name=None)


@blueprint.get("/jobs/<job_id>/result")
@describe(ResultSchema, problems=(*_UNKNOWN, problems.NO_RESULT))
def result(job_id: str) -> Answer:
    """What came of a finished job."""
    job = service.get(farm(), caller(), job_id).job
    if not job.status.final:
        raise problems.NO_RESULT(
            f"Job {job_id} is {job.status}; it has no result yet.", job_status=job.status
        )
    return json_answer(result_document(job))
