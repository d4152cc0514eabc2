"""The queue as a whole."""

from __future__ import annotations

from flask import Blueprint, Response

from master.api.answers import caller, farm, json_response, no_body
from master.lifecycle import commands
from master.service import queue as service
from master.service.queue import QueueView

blueprint = Blueprint("queue", __name__)


@blueprint.get("/queue")
def one() -> Response:
    """How the queue stands."""
    return json_response(_document(service.get(farm())))


@blueprint.post("/queue/pause")
def pause() -> Response:
    """Give no job to any node."""
    no_body()
    return json_response(_document(service.change(farm(), caller(), commands.PauseQueue())))


@blueprint.post("/queue/resume")
def resume() -> Response:
    """Give jobs to nodes again."""
    no_body()
    return json_response(_document(service.change(farm(), caller(), commands.ResumeQueue())))


def _document(view: QueueView) -> dict[str, object]:
    return {"paused": view.paused, "jobs": dict(view.counts)}
