"""The queue as a whole, and how the master stands."""

from __future__ import annotations

from flask import Blueprint

from common.documents import QueueSchema, StatusSchema
from common.version import PROTOCOL, VERSION
from master.api.answers import Answer, caller, farm, json_answer, no_body
from master.api.described import describe
from master.lifecycle import commands
from master.service import queue as service
from master.service import status as standing
from master.service.queue import QueueView

blueprint = Blueprint("queue", __name__)


@blueprint.get("/queue")
@describe(QueueSchema)
def one() -> Answer:
    """How the queue stands."""
    return json_answer(_document(service.get(farm())))


@blueprint.post("/queue/pause")
@describe(QueueSchema)
def pause() -> Answer:
    """Give no job to any node, until the queue is resumed.

    Running jobs are left alone, and jobs can be submitted.
    """
    no_body()
    return json_answer(_document(service.change(farm(), caller(), commands.PauseQueue())))


@blueprint.post("/queue/resume")
@describe(QueueSchema)
def resume() -> Answer:
    """Give jobs to nodes again."""
    no_body()
    return json_answer(_document(service.change(farm(), caller(), commands.ResumeQueue())))


def _document(view: QueueView) -> dict[str, object]:
    return {"paused": view.paused, "jobs": dict(view.counts)}


@blueprint.get("/status")
@describe(StatusSchema, slow=True)
def status() -> Answer:
    """How the master stands, in numbers; it costs the same however many jobs there are."""
    view = standing.get(farm())
    document = {
        "version": VERSION,
        "protocol": PROTOCOL,
        "uptime": round(view.uptime, 3),
        "paused": view.paused,
        "jobs": dict(view.jobs),
        "parts": dict(view.parts),
        "waiting": {
            priority: {"jobs": depth.jobs, "oldest": depth.age(view.at)}
            for priority, depth in view.waiting.items()
        },
        "nodes": dict(view.nodes),
        "slots": {"used": view.used, "free": view.free},
        "stuck": [
            {"job_id": each.first.job.id, "jobs": each.jobs, "reason": each.first.pending_reason}
            for each in view.stuck
        ],
    }
    return json_answer(document)
