"""Is the master there."""

from __future__ import annotations

from flask import Blueprint, Response

from master.api.answers import json_response

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """Exactly what the guide shows."""
    return json_response({"status": "healthy"})
