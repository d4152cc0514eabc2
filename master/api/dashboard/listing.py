"""The queue and the finished jobs, page by page, and what is done with those that are marked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Response, url_for
from marshmallow import validate

from common import problems
from common.fields import OneOf, ShortList, StrictString
from common.model import JobStatus
from common.schema import Strict
from master.api.answers import caller, farm
from master.api.dashboard import submitting
from master.api.dashboard.page import asked, back_to, blueprint, form, page
from master.api.dashboard.retrying import form_key, new_key, retry
from master.api.documents import cursor, job_document
from master.api.queries import Flag, ListingCursor
from master.lifecycle import commands
from master.service import glance, jobs

SHOWN = 50
"""Jobs of one page."""
_COMMANDS: dict[str, commands.JobCommand] = {
    "cancel": commands.Cancel(),
    "pause": commands.PauseJob(),
    "resume": commands.ResumeJob(),
}
DONE = {"cancel": "canceled", "pause": "paused", "resume": "resumed", "retry": "queued again"}
"""What was done, in the words of a page."""
_VERBS = validate.OneOf(list(DONE))


class ListingQuery(Strict):
    """Which jobs are wanted, and what was done before."""

    status = OneOf(JobStatus, load_default=None, allow_none=False)
    after = ListingCursor(load_default=None, allow_none=False)
    parts = Flag(load_default=False)
    done = StrictString(load_default=None, allow_none=False, validate=_VERBS)
    count = StrictString(load_default="1", validate=validate.Regexp(r"\A[1-9][0-9]{0,3}\Z"))
    new = StrictString(load_default=None, allow_none=False, validate=validate.OneOf(["1"]))
    job = StrictString(load_default=None, allow_none=False, validate=validate.Length(1, 64))


class MarkedForm(Strict):
    """Jobs, and what is to be done with them; `one` is the button of a row: `cancel:ID`."""

    do = StrictString(load_default=None, allow_none=False, validate=_VERBS)
    one = StrictString(
        load_default=None,
        allow_none=False,
        validate=validate.Regexp(r"\A(cancel|pause|resume|retry):.{1,64}\Z"),
    )
    job_id = ShortList(StrictString(validate=validate.Length(1, 64)), most=1000, load_default=list)
    status = OneOf(JobStatus, load_default=None, allow_none=False)
    after = StrictString(load_default="", validate=validate.Regexp(r"\A([uf][0-9]{1,15})?\Z"))
    parts = Flag(load_default=False)
    key = form_key()


@blueprint.get("/ui/jobs")
def jobs_page() -> Response:
    """The queue and the finished jobs, and the form for a new one."""
    wanted = asked(ListingQuery)
    return listing(wanted, notice=_notice(wanted), opened=wanted["new"] is not None)


def listing(wanted: dict[str, Any], status: int = 200, **values: Any) -> Response:
    """The page, with what else it is to show."""
    status_, parts = wanted["status"], wanted["parts"]
    whole = glance.leaves_out_parts(status_, parts=parts)
    views, count = jobs.page(farm(), caller(), status_, wanted["after"], SHOWN, whole=whole)
    shown: dict[str, Any] = {
        "jobs": [job_document(view) for view in views],
        "count": count,
        "counts": glance.counts(farm(), caller(), parts=parts),
        "total": glance.count(farm(), caller(), parts=parts),
        "wanted": wanted,
        "address": partial(_address, parts=parts),
        "next": cursor(views[-1].job) if len(views) == SHOWN else None,
        "form": submitting.fields(values.pop("sent", None), values.pop("errors", {})),
        "marks_key": new_key(),
        "opened": False,
        "notice": None,
        "refusals": (),
    }
    return page("jobs.html", status, **(shown | values))


def _address(status: str | None = None, after: str | None = None, *, parts: bool) -> str:
    """Of a page of the list."""
    asked_ = {"status": status, "parts": "1" if parts else None, "after": after}
    query = urlencode({name: value for name, value in asked_.items() if value})
    return f"{url_for('dashboard.jobs_page')}{f'?{query}' if query else ''}"


def _notice(wanted: dict[str, Any]) -> dict[str, Any] | None:
    if wanted["job"] is not None:
        return {"text": "Queued:", "job": wanted["job"]}
    if wanted["done"] is None:
        return None
    many = int(wanted["count"])
    return {"text": f"{many} {'job' if many == 1 else 'jobs'} {DONE[wanted['done']]}.", "job": None}


@blueprint.post("/ui/jobs/change")
def change_jobs() -> Response:
    """Cancel, pause, resume or retry what is marked, or the job of one row."""
    sent = form(MarkedForm)
    verb, marked = sent["do"], sent["job_id"]
    if sent["one"] is not None:
        verb, _, job_id = sent["one"].partition(":")
        marked = [job_id]
    if verb is None or not marked:
        return _refused(sent, ["Mark at least one job."])
    refusals = []
    for job_id in marked:
        try:
            _change(verb, job_id, sent["key"])
        except problems.Problem as problem:
            refusals.append(problem.detail)
    if refusals:
        done = len(marked) - len(refusals)
        return _refused(sent, [*([f"{done} {DONE[verb]}."] if done else []), *refusals])
    place = {name: sent[name] for name in ("status", "after") if sent[name]}
    place |= {"parts": "1"} if sent["parts"] else {}
    return back_to("/ui/jobs", done=verb, count=len(marked), **place)


def _change(verb: str, job_id: str, key: str | None) -> None:
    if verb == "retry":
        retry(job_id, key)
    else:
        jobs.change(farm(), caller(), job_id, _COMMANDS[verb])


def _refused(sent: dict[str, Any], told: Sequence[str]) -> Response:
    """The page again, which says what was not done and why."""
    wanted = {"status": sent["status"], "after": None, "parts": sent["parts"]}
    return listing(wanted, 409, refusals=[*told[:6], *(["…"] if len(told) > 6 else [])])


@blueprint.post("/ui/jobs")
def submit_job() -> Response:
    """Queue a job; or the page again, with what was typed and what is wrong with it."""
    typed = submitting.read()
    try:
        view = submitting.submit(typed)
    except problems.Problem as problem:
        errors = submitting.errors_of(problem)
        nothing = {"status": None, "after": None, "parts": False}
        return listing(nothing, problem.type.status, opened=True, sent=typed, errors=errors)
    return back_to("/ui/jobs", job=view.job.id)
