"""The queue as a whole."""

from __future__ import annotations

from flask import Blueprint, Response

from common.documents import QueueSchema
from master.api.answers import caller, farm, json_response, no_body
from master.api.described import describe
from master.lifecycle import commands
from master.service import queue as service
from master.service.queue import QueueView

blueprint = Blueprint("queue", __name__)


@blueprint.get("/queue")
@describe(QueueSchema)
def one() -> Response:
    """How the queue stands."""
    return json_response(_document(service.get(farm())))


@blueprint.post("/queue/pause")
@describe(QueueSchema)
def pause() -> Response:
    """Give no job to any node, until the queue is resumed.

    Running jobs are left alone, and jobs can be submitted.
    """
    no_body()
    return json_response(_document(service.change(farm(), caller(), commands.PauseQueue())))


@blueprint.post("/queue/resume")
@describe(QueueSchema)
def resume() -> Response:
    """Give jobs to nodes again."""
    no_body()
    return json_response(_document(service.change(farm(), caller(), commands.ResumeQueue())))


def _document(view: QueueView) -> dict[str, object]:
    return {"paused": view.paused, "jobs": dict(view.counts)}
