"""The page of a job: how it stands, what happened to it, what it says, and what it made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, current_app, request, url_for
from marshmallow import ValidationError, validate

from common import problems
from common.fields import StrictString
from common.model import Job
from common.result import METRICS
from common.schema import Strict
from common.timestamps import parse_timestamp, timestamp
from master.api.answers import caller, farm
from master.api.dashboard.page import back_to, blueprint, form, may, page
from master.api.dashboard.retrying import form_key, new_key, retry
from master.api.dashboard.timeline import timeline
from master.api.dashboard.values import written
from master.api.dashboard.viewing import Video, Viewing, viewing
from master.api.documents import (
    archive_cursor,
    full_job_document,
    job_document,
    parse_archive_cursor,
    result_document,
)
from master.lifecycle import commands
from master.service import audit, files, jobs, retention
from master.store.archive import Place, PlaceError
from master.store.blocks import DamagedError
from master.store.journal import JournalError
from master.store.trail import Wanted

Document = Mapping[str, Any]

LINES = 2000
"""Lines of the log on the page; `GET /jobs/{id}/logs` has all that is kept."""
MOST_PARTS = 200
"""Parts of a job that are listed."""
MOST_NAMED = 20
"""Jobs that it depends on which are named."""
MOST_ENTRIES = 200
"""Entries of the audit that are shown."""
_REMEMBERED = 64
"""Jobs whose entries are kept at hand."""
_COMMANDS: dict[str, commands.JobCommand] = {
    "cancel": commands.Cancel(),
    "pause": commands.PauseJob(),
    "resume": commands.ResumeJob(),
}
_APART = ("command", "energy_note", "cost_basis")
"""Metrics that are sentences: they are not in the table of numbers."""


class SteerForm(Strict):
    """What is to be done with the job. `key`: what tells that a form came twice."""

    do = StrictString(required=True, validate=validate.OneOf([*_COMMANDS, "retry"]))
    key = form_key()


@dataclass(frozen=True, slots=True)
class _Found:
    """A job, wherever it is."""

    job: Document
    result: Document | None
    record: Job | None
    """None: it is in the archive."""


@blueprint.get("/ui/jobs/<job_id>")
def job(job_id: str) -> Response:
    """One job, also an archived one."""
    found = _find(job_id)
    if isinstance(found, Response):
        return found
    # First it is painted from what is in memory; script then asks once more, and gets the audit's words too.
    thorough = "HX-Request" in request.headers or "events" in request.args
    return page("job.html", **_shown(found, thorough=thorough))


@blueprint.post("/ui/jobs/<job_id>")
def steer_job(job_id: str) -> Response:
    """Cancel, pause, resume or retry a job."""
    sent = form(SteerForm)
    if sent["do"] == "retry":
        return back_to(f"/ui/jobs/{retry(job_id, sent['key']).job.id}")
    jobs.change(farm(), caller(), job_id, _COMMANDS[sent["do"]])
    return back_to(url_for("dashboard.job", job_id=job_id))


def _find(job_id: str) -> _Found | Response:
    """The job in memory, or in the archive; or a page that says to look further, or `unknown_job`."""
    try:
        view = jobs.get(farm(), caller(), job_id)
    except problems.Problem as problem:
        if problem.type is not problems.UNKNOWN_JOB or farm().archive.empty:
            raise
        return _find_archived(job_id, problem)
    result = result_document(view.job) if view.job.status.final else None
    return _Found(full_job_document(view), result, view.job)


def _find_archived(job_id: str, problem: problems.Problem) -> _Found | Response:
    asked = request.args.get("after")
    try:
        place: Place | None = None if asked is None else parse_archive_cursor(asked)
        entries, rest = retention.page(farm(), caller(), place, 1, job_id)
    except (PlaceError, ValidationError) as error:
        raise problems.NOT_FOUND("There is no such place in the archive.") from error
    except DamagedError as error:
        raise problems.INTERNAL(f"{error}.") from error
    if entries:
        return _Found(entries[0]["job"], entries[0]["result"], None)
    if rest is None:
        raise problem
    return page("searching.html", job_id=job_id, after=archive_cursor(rest))


def _shown(found: _Found, *, thorough: bool) -> dict[str, Any]:
    document, result = found.job, found.result
    now = str(timestamp(farm().clock().wall))
    entries, partial = _entries(found) if thorough and may("audit.page") else ((), False)
    archived = found.record is None
    lines = jobs.log(farm(), caller(), document["id"])[-LINES:] if not archived else []
    metrics = (result or {}).get("metrics") or {}
    return {
        "job": document,
        "result": result,
        "archived": archived,
        "final": document["finished_at"] is not None,
        "told": timeline(document, entries, now),
        "partial": partial,
        "thorough": thorough,
        "lines": lines,
        "most_lines": LINES,
        "metrics": [
            _metric(name, value, result or {}) for name, value in metrics.items() if name not in _APART
        ],
        "notes": [(name, metrics[name]) for name in _APART[1:] if metrics.get(name)],
        "command": metrics.get("command"),
        "artifacts": [
            _artifact(each, document, archived=archived) for each in (result or {}).get("artifacts", ())
        ],
        "viewing": _viewing(found),
        **_parts(document["id"]),
        "depends_on": (document.get("depends_on") or [])[:MOST_NAMED],  # old archived ones say nothing of it
        "more_depends_on": max(0, len(document.get("depends_on") or []) - MOST_NAMED),
        "key": new_key(),
        "written": written,
    }


def _entries(found: _Found) -> tuple[Sequence[Document], bool]:
    """What the audit has about the job, and whether that is not all.

    They are looked up again only when the job's record is another: each event of it makes it so.
    """
    memory, job_id = _memory(), found.job["id"]
    known = memory.get(job_id)
    if known is not None and known[0] is found.record:
        return known[1], known[2]
    until = found.job["finished_at"]
    wanted = Wanted(
        job_id=job_id,
        since=parse_timestamp(found.job["created_at"]),
        until=None if until is None else parse_timestamp(until) + timedelta(seconds=1),
    )
    try:
        seen = audit.page(farm(), None, MOST_ENTRIES, wanted)
    except (JournalError, OSError):
        return (), True
    entries, partial = seen.entries, seen.next is not None or bool(seen.damaged)
    memory[job_id] = (found.record, entries, partial)
    while len(memory) > _REMEMBERED:
        memory.pop(next(iter(memory)), None)
    return entries, partial


def _memory() -> dict[str, tuple[Job | None, Sequence[Document], bool]]:
    """By job: its record, and what the audit had about it then. Single dict operations only: no lock."""
    found: dict[str, Any] = current_app.extensions.setdefault("job_entries", {})
    return found


def _metric(name: str, value: Any, result: Document) -> dict[str, Any]:
    known = METRICS.get(name)
    return {
        "name": name,
        "value": value,
        "written": written(value),
        "unit": None if known is None else known.unit,
        "source": result["sources"].get(name),
    }


def _artifact(made: Document, document: Document, *, archived: bool) -> dict[str, Any]:
    """A file with its address; None where the master does not have it."""
    location = made["location"]
    stored = location is not None and location.startswith("file:")
    sha256 = made["sha256"]
    address = None
    if stored and archived and files.has(farm(), caller(), sha256):
        address = url_for("files.content", sha256=sha256)
    elif stored and not archived:
        address = url_for("jobs.artifact", job_id=document["id"], path=made["path"])
    return {**made, "address": address}


def _viewing(found: _Found) -> dict[str, Any]:
    seen: Viewing = viewing(
        found.job,
        found.result,
        lambda sha256: files.has(farm(), caller(), sha256),
        archived=found.record is None,
    )

    def address(video: Video | None) -> str | None:
        if video is None:
            return None
        if video.artifact is None:
            return url_for("files.content", sha256=video.sha256)
        return url_for("jobs.artifact", job_id=found.job["id"], path=video.artifact)

    return {
        "output": address(seen.output),
        "type": None if seen.output is None else seen.output.media_type,
        "output_reason": seen.output_reason,
        "source": address(seen.source),
        "source_reason": seen.source_reason,
    }


def _parts(job_id: str) -> dict[str, Any]:
    """The parts that are listed, how many there are, and how many of these are completed.

    Twins are listed, and not counted.
    """
    views, listed = jobs.page(farm(), caller(), None, None, MOST_PARTS, job_id)
    completed, count = jobs.completed_parts(farm(), caller(), job_id) if views else (0, 0)
    return {
        "parts": [job_document(view) for view in views],
        "parts_listed": listed,
        "parts_count": count,
        "parts_completed": completed,
    }
