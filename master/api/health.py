"""Is the master there."""

from __future__ import annotations

from flask import Blueprint, Response

from common.documents import HealthSchema
from master.api.answers import json_response
from master.api.described import describe

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@describe(HealthSchema)
def health() -> Response:
    """Whether the master is there; exactly what the guide shows."""
    return json_response({"status": "healthy"})
