"""How requests are read and answers are written: the same way for every route."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from flask import Response, current_app, g, request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from common import problems, strictjson
from common.problems import Problem
from common.schema import NothingSchema, flatten
from common.version import PROTOCOL
from master.api.described import Description, description_of
from master.api.plain_bodies import READERS
from master.service import Caller, Farm
from master.service.webhooks import Desk

_encode = msgspec.json.Encoder().encode


def farm() -> Farm:
    """The farm that this request is about."""
    found: Farm = current_app.extensions["farm"]
    return found


def desk() -> Desk:
    """Where webhooks are made and steered."""
    found: Desk = current_app.extensions["webhooks"]
    return found


def caller() -> Caller:
    """Who sent this request."""
    found: Caller = g.caller
    return found


def json_response(document: Any, status: int = 200) -> Response:
    """`document` as JSON."""
    return Response(_encode(document), status, content_type="application/json")


def problem_response(problem: Problem) -> Response:
    """A refusal as `application/problem+json`."""
    document = problem.body(g.request_id)
    response = Response(_encode(document), problem.type.status, content_type=problems.MEDIA_TYPE)
    if problem.type.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if problem.type in (problems.UNAVAILABLE, problems.TOO_MANY):
        response.headers["Retry-After"] = str(problem.extra.get("retry_after", problems.RETRY_AFTER))
    return response


MAX_ERRORS = 20
"""Errors that one answer lists."""


def body() -> Any:
    """The request's body as its route describes it; `malformed_json` or `invalid`, naming the field."""
    described = _described()
    schema = _made(described.takes or NothingSchema)
    data = sent()
    if not data and described.optional:
        return schema.load({})
    if data and not request.is_json:
        raise problems.UNSUPPORTED_MEDIA_TYPE("Send JSON, with the header Content-Type: application/json.")
    plainly = READERS.get(described.takes) if described.takes is not None else None
    if plainly is not None and (loaded := plainly(data)) is not None:
        return loaded
    try:
        document = strictjson.loads(data)
    except strictjson.StrictJSONError as error:
        raise problems.MALFORMED_JSON(f"The body is not JSON that we take: {error}.") from error
    # A newer neighbour says things that this master does not know yet: they are not for it.
    newer = (caller().protocol or 0) > PROTOCOL
    try:
        return schema.load(document, unknown="exclude" if newer else None)
    except ValidationError as error:
        raise invalid(flatten(error.messages)) from error


@cache
def _made(schema: type[Schema]) -> Schema:
    """Made once: to make one costs far more than a load, which keeps nothing in it."""
    return schema()


def _described() -> Description:
    found = description_of(current_app.view_functions[request.endpoint or ""])
    assert found is not None, f"{request.endpoint} has no @describe"  # noqa: S101 - a mistake of ours; a test finds it
    return found


def sent() -> bytes:
    """The request's body, whole, as often as it is asked for; 413 if it is longer than its route takes."""
    if "sent" not in g:
        request.max_content_length = _described().most
        g.sent = _whole_body()
    data: bytes = g.sent
    return data


def _whole_body() -> bytes:
    if request.environ.get("wsgi.input_terminated"):
        most = request.max_content_length or 0
        data: bytes = request.environ["wsgi.input"].read(most + 1)
        if len(data) > most:
            raise RequestEntityTooLarge
        return data
    data = request.get_data()
    # A body that comes without its length (chunked) would be cut at the limit in silence.
    if len(data) == request.max_content_length and request.environ["wsgi.input"].read(1):
        raise RequestEntityTooLarge
    return data


def no_body() -> None:
    """Refuse a body where none is meant: who sends one expects it to matter."""
    body()


def octets() -> bytes:
    """The request's body as it is; `unsupported_media_type` if it says to be something else."""
    described = _described()
    data = sent()
    if request.mimetype != described.body_type:
        raise problems.UNSUPPORTED_MEDIA_TYPE(
            f"Send bytes, with the header Content-Type: {described.body_type}."
        )
    return data


def invalid(errors: list[dict[str, str]]) -> Problem:
    """`invalid`, with what is wrong with which field."""
    detail = "; ".join(f"{error['field']}: {error['message']}" for error in errors[:5])
    return problems.INVALID(detail, errors=errors[:MAX_ERRORS])


def query() -> dict[str, Any]:
    """The query as its route describes it; `invalid` if it has other parameters, or one twice."""
    described = _described()
    assert described.query is not None, f"{request.endpoint} takes no query"  # noqa: S101 - as above
    schema = _made(described.query)
    for name, values in request.args.lists():
        if name not in schema.fields:
            known = ", ".join(sorted(schema.fields))
            raise problems.invalid_field(name, f"Unknown parameter; there are: {known}.")
        if len(values) > 1:
            raise problems.invalid_field(name, "Given more than once.")
    try:
        loaded: dict[str, Any] = schema.load(request.args.to_dict())
    except ValidationError as error:
        raise invalid(flatten(error.messages)) from error
    return loaded
