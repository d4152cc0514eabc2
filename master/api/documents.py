"""Records as the JSON documents of the API; the guide's fields come first, in its order."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from marshmallow import ValidationError

from common.documents.jobs import MOST_LISTED
from common.model import Attempt, Failure, Findings, Job, JobStatus, Progress, Token, UploadStatus
from common.result import METRICS
from common.scenarios import Scenario
from common.streams import masked
from common.timestamps import timestamp
from master.files import FileEntry, Upload
from master.service import JobView, NodeView
from master.service.webhooks import WebhookView
from master.store.archive import Entry, Place
from master.store.listings import ListingKey, listing_key
from master.webhooks.book import Try

LISTING_CURSOR = re.compile(r"^([uf])([0-9]{1,15})$", re.ASCII)
ARCHIVE_CURSOR = re.compile(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9]{1,15})\.([0-9]{1,9})$", re.ASCII)


def node_document(view: NodeView) -> dict[str, Any]:
    """A node."""
    node, hardware = view.node, view.node.hardware
    return {
        "id": node.id,
        "address": node.address,
        "type": hardware.type,
        "cpu_threads": hardware.cpu_threads,
        "cpu_model": hardware.cpu_model,
        "has_gpu": hardware.has_gpu,
        "ram_bytes": hardware.ram_bytes,
        "labels": dict(node.labels),
        "status": view.status,
        "last_heartbeat": timestamp(view.last_heartbeat),
        "registered_at": timestamp(node.registered_at),
        "running_jobs": view.running,
        "max_concurrent_jobs": node.max_concurrent_jobs,
        "load": None if view.load is None else asdict(view.load),
        "run_unlabeled": node.run_unlabeled,
        "encoders": None if hardware.encoders is None else list(hardware.encoders),
        "encoder_failures": None if hardware.encoder_failures is None else dict(hardware.encoder_failures),
        "ffmpeg_version": hardware.ffmpeg_version,
        "gpu_model": hardware.gpu_model,
        "has_battery": hardware.has_battery,
        "media_roots": None if node.media_roots is None else list(node.media_roots),
        "input_hosts": None if node.input_hosts is None else list(node.input_hosts),
        "output_roots": None if node.output_roots is None else list(node.output_roots),
        "output_hosts": None if node.output_hosts is None else list(node.output_hosts),
        "energy_source": node.energy_source,
        "protocol": node.protocol,
        "agent_version": node.agent_version,
        "quarantined": node.quarantined,
        "credential_expires_at": timestamp(node.credential_expires_at),
    }


def file_document(entry: FileEntry, owner: str | None) -> dict[str, Any]:
    """A stored file, as the submitter `owner` may see it, or (None) whoever may see all."""
    holding = entry.held_by(owner) or entry.holdings[0]
    owners = sorted(each.owner for each in entry.holdings if each.owner is not None)
    return {
        "sha256": entry.sha256,
        "size": entry.size,
        "name": holding.name,
        "media_type": holding.media_type,
        "created_at": timestamp(holding.created_at),
        "used_at": timestamp(entry.used.wall),
        "owners": owners if owner is None else [owner],
    }


def upload_document(upload: Upload, owner: str | None) -> dict[str, Any]:
    """A file on its way in."""
    return {
        "id": upload.id,
        "sha256": upload.announced.sha256,
        "size": upload.announced.size,
        "offset": upload.offset,
        "status": upload.status,
        "file": None if upload.entry is None else file_document(upload.entry, owner),
    }


def nothing_to_send(entry: FileEntry, owner: str | None) -> dict[str, Any]:
    """The answer to who wants to put what is here already."""
    return {
        "id": None,
        "sha256": entry.sha256,
        "size": entry.size,
        "offset": entry.size,
        "status": UploadStatus.STORED,
        "file": file_document(entry, owner),
    }


def token_document(token: Token, now: datetime) -> dict[str, Any]:
    """A token, without what could be used of it."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "status": token.status(now),
        "created_at": timestamp(token.created_at),
        "expires_at": timestamp(token.expires_at),
        "uses_left": token.uses_left,
        "used_at": timestamp(token.used_at),
        "revoked_at": timestamp(token.revoked_at),
    }


def webhook_document(view: WebhookView) -> dict[str, Any]:
    """A webhook, without its secret."""
    webhook, standing = view.webhook, view.standing
    return {
        "id": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "events": list(webhook.events),
        "status": webhook.status,
        "reason": webhook.reason,
        "created_at": timestamp(webhook.created_at),
        "replaced_until": timestamp(webhook.replaced_until),
        "told": standing.told,
        "newest": view.newest,
        "failures": standing.failures,
        "failing_since": _moment(standing.failing_since),
        "next_try_at": _moment(standing.next_try),
        "last_delivery": None if view.last is None else delivery_document(view.last),
    }


def delivery_document(found: Try) -> dict[str, Any]:
    """A request to a receiver, and what came of it."""
    return {
        "id": found.id,
        "message_id": found.message_id,
        "seq": found.seq,
        "event": found.event,
        "number": found.number,
        "sent_at": _moment(found.at),
        "duration": round(found.duration, 3),
        "status_code": found.status,
        "error": found.error,
        "next_try_at": _moment(found.next_try),
    }


def told_of_a_job(view: JobView) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """A job and its result (None: it has none), of which webhooks tell some."""
    ended = view.job.status in (JobStatus.COMPLETED, JobStatus.FAILED)
    return job_document(view), result_document(view.job) if ended else None


def job_document(view: JobView) -> dict[str, Any]:
    """A job as listings show it: many that depend on very many would make a long answer."""
    job = view.job
    attempt = job.attempt
    document: dict[str, Any] = {
        "id": job.id,
        "scenario": job.scenario,
        "confidence": job.confidence,
        "parameters": dict(job.parameters),
        "status": job.status,
        "created_at": timestamp(job.created_at),
        "retry_count": job.retry_count,
        "priority": job.priority,
        "constraints": {
            "labels": dict(job.constraints.labels),
            "encoders": list(job.constraints.encoders),
            "gpu": job.constraints.gpu,
        },
        # Who knows a stream's key may publish there: only the node that is to gets it.
        "input": None if job.input is None else masked(job.input),
        "output": None if job.output is None else masked(job.output),
        "max_attempts": job.max_attempts,
        "retry_of": job.retry_of,
        "parent_id": job.parent_id,
        "part": job.part,
        "twin_of": job.twin_of,
        "stage": job.stage,
        "depends_on": list(job.depends_on) if len(job.depends_on) <= MOST_LISTED else None,
        "owner": job.owner,
        "request_id": job.request_id,
        "node_id": attempt.node_id if attempt else None,
        "started_at": timestamp(attempt.started_at) if attempt else None,
        "finished_at": timestamp(job.finished_at),
        "pending_reason": view.pending_reason,
        "progress": progress_document(view.progress),
        "error": _failure(job.error),
    }
    if view.lease_expires_in is not None:
        document["lease_expires_in"] = round(view.lease_expires_in, 3)
    return document


def full_job_document(view: JobView) -> dict[str, Any]:
    """A job with all that it depends on, and the story of its attempts."""
    job = view.job
    document = {**job_document(view), "depends_on": list(job.depends_on)}
    return {**document, "attempts": [_attempt(attempt) for attempt in job.attempts]}


def claim_document(view: JobView | None) -> dict[str, Any]:
    """The answer to a poll: the job's fields, and the same once more under `job`; or `{"job": null}`."""
    document = claimed_document(view)
    return {"job": None} if document is None else {**document, "job": document}


def claimed_document(view: JobView | None) -> dict[str, Any] | None:
    """A job as the node gets it that holds its lease; None: there is none for it."""
    if view is None:
        return None
    lease = view.job.lease
    assert lease is not None  # noqa: S101 - a claim gives a lease
    document = {**job_document(view), "input": view.job.input, "output": view.job.output}
    document |= {"lease_id": lease.lease_id, "attempt": lease.number}
    if view.parts:
        document["parts"] = [_part(part) for part in view.parts]
    return document | {"window": _window(view.job), "source": view.source, "hand_on": view.hand_on}


def result_document(job: Job) -> dict[str, Any]:
    """The result of a finished job. Unknown is null; `sources` says how each number was obtained."""
    attempt = None if job.is_by_twin else job.attempt
    return {
        "job_id": job.id,
        "node_id": attempt.node_id if attempt else None,
        "scenario": job.scenario,
        "status": job.status,
        "attempt": attempt.number if attempt else None,
        "completed_at": timestamp(job.finished_at),
        "metrics": None if job.metrics is None else dict(job.metrics),
        "analyzer_output": None if job.analyzer_output is None else dict(job.analyzer_output),
        "sources": {name: METRICS[name].source for name in job.metrics or {} if name in METRICS},
        **findings_document(job.findings),
        "error": _failure(job.error),
    }


def findings_document(findings: Findings) -> dict[str, Any]:
    """What came to light beyond single numbers, as results and reports have it."""
    return {
        "artifacts": [asdict(artifact) for artifact in findings.artifacts],
        "repeats": [asdict(repeat) for repeat in findings.repeats],
        "probes": [asdict(probe) for probe in findings.probes],
        "warnings": list(findings.warnings),
    }


def archive_entry(job: Job) -> Entry:
    """What the archive keeps of a finished job: all that the API ever said of it."""
    return {"job": full_job_document(JobView(job)), "result": result_document(job)}


def scenario_document(scenario: Scenario) -> dict[str, Any]:
    """A scenario of the catalogue."""
    return {
        "name": scenario.name,
        "width": scenario.width,
        "height": scenario.height,
        "fps": scenario.fps,
        "codec": scenario.codec,
        "bitrate": scenario.bitrate,
        "duration": scenario.duration,
    }


def cursor(job: Job) -> str:
    """The place of `job` in listings, to ask for what comes `after` it."""
    finished, place = listing_key(job)
    return f"{'f' if finished else 'u'}{abs(place)}"


def parse_cursor(text: str) -> ListingKey:
    """The place that a cursor names; ValidationError if it is none."""
    found = LISTING_CURSOR.fullmatch(text)
    if found is None:
        raise ValidationError(NO_SUCH_PAGE)
    return (1, -int(found[2])) if found[1] == "f" else (0, int(found[2]))


def archive_cursor(place: Place) -> str:
    """A place in the archive, to ask for what comes `after` it."""
    return f"{place.day}.{place.offset}.{place.line}"


def parse_archive_cursor(text: str) -> Place:
    """The place that a cursor names; ValidationError if it is none."""
    found = ARCHIVE_CURSOR.fullmatch(text)
    if found is None:
        raise ValidationError(NO_SUCH_PAGE)
    try:
        return Place(date.fromisoformat(found[1]), int(found[2]), int(found[3]))
    except ValueError as error:
        raise ValidationError(NO_SUCH_PAGE) from error


NO_SUCH_PAGE = "Must be the `next` of an earlier page."
"""Said of a cursor that was not made here, or for something that is gone."""


def _part(job: Job) -> dict[str, Any]:
    """A completed part, as a node needs it to join it."""
    return {
        "part": job.part,
        "job_id": job.id,
        "metrics": dict(job.metrics or {}),
        "artifacts": findings_document(job.findings)["artifacts"],
        "stage": job.stage,
        "window": _window(job),
    }


def _window(job: Job) -> dict[str, Any] | None:
    return None if job.window is None else asdict(job.window)


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "node_id": attempt.node_id,
        "started_at": timestamp(attempt.started_at),
        "ended_at": timestamp(attempt.ended_at),
        "outcome": attempt.outcome,
        "error": _failure(attempt.error),
    }


def _moment(seconds: float | None) -> str | None:
    """Seconds since 1970 as a time."""
    return None if seconds is None else timestamp(datetime.fromtimestamp(seconds, UTC))


def _failure(error: Failure | None) -> dict[str, str] | None:
    return None if error is None else {"code": error.code, "message": error.message}


def progress_document(progress: Progress | None) -> dict[str, Any] | None:
    """How far an attempt is, as it said itself."""
    if progress is None:
        return None
    return {
        "frame": progress.frame,
        "fps": progress.fps,
        "speed": progress.speed,
        "out_time": progress.out_time,
        "percent": progress.percent,
        "seconds_left": progress.seconds_left,
    }
