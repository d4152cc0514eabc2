"""Is the master there."""

from __future__ import annotations

from flask import Blueprint

from common.documents import HealthSchema
from master.api.answers import Answer, json_answer
from master.api.described import describe

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@describe(HealthSchema)
def health() -> Answer:
    """Whether the master is there; exactly what the guide shows."""
    return json_answer({"status": "healthy"})
