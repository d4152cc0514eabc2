"""Small applications that servers are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, jsonify, request
from marshmallow import Schema, fields, validate

HEALTHY = b'{"status":"healthy"}\n'
JOB = b'{"scenario":"1080p-h264","confidence":"auto","priority":"medium","parameters":{"bitrate":"5000k"}}'
"""What is posted to `checked`, and to a master."""


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """As little as an application can do."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(HEALTHY)))])
    return [HEALTHY]


class JobSchema(Schema):
    """Fields with types, choices, lengths and a nested object: what a job is checked for, more or less."""

    id = fields.String(dump_only=True)
    status = fields.String(dump_only=True)
    scenario = fields.String(required=True, validate=validate.Length(1, 64))
    confidence = fields.String(load_default="auto", validate=validate.OneOf(["auto", "low", "high"]))
    priority = fields.String(load_default="medium", validate=validate.OneOf(["low", "medium", "high"]))
    parameters = fields.Dict(keys=fields.String(), values=fields.Raw(), load_default=dict)
    attempts = fields.Integer(load_default=3, validate=validate.Range(1, 10))
    depends_on = fields.List(fields.String(), load_default=list)


flask = Flask(__name__)
_schema = JobSchema()


@flask.get("/health")
def health() -> Response:
    """A bare Flask route."""
    return Response(HEALTHY, content_type="application/json")


@flask.post("/jobs")
def checked() -> tuple[Response, int]:
    """A body that marshmallow checks, and an answer that it writes."""
    job = _schema.load(request.get_json())
    return jsonify(_schema.dump({"id": "1", "status": "pending", **job})), 201
