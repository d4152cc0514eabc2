"""How requests are read and answers are written: the same way for every route."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from marshmallow import Schema, ValidationError
from werkzeug.http import HTTP_STATUS_CODES

from common import problems, strictjson
from common.problems import Problem
from common.schema import NothingSchema, flatten
from common.version import PROTOCOL
from master.api.described import JSON, Description
from master.api.exchange import current
from master.api.plain_bodies import READERS
from master.service import Caller, Farm
from master.service.webhooks import Desk

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_encode = msgspec.json.Encoder().encode
_EMPTY = 204
_MOST_KEPT, _LONGEST_KEPT = 4096, 256
"""Queries that are kept as they were read, and how many characters each may have."""


class Answer:
    """What a route answers that needs no response of Flask's: a document, or nothing."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, body: bytes = b"", status: int = _EMPTY, media_type: str = JSON) -> None:
        self.body = body
        self.status = status
        self.headers: list[tuple[str, str]] = []
        if status != _EMPTY:
            self.headers = [("Content-Type", media_type), ("Content-Length", str(len(body)))]

    def add(self, name: str, value: str) -> None:
        """Say this in a header."""
        self.headers.append((name, value))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with it (PEP 3333)."""
        start_response(_status_line(self.status), self.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.body]


@cache
def _status_line(status: int) -> str:
    """As Flask writes it."""
    return f"{status} {HTTP_STATUS_CODES[status].upper()}"


def farm() -> Farm:
    """The farm that this request is about."""
    return current().farm


def desk() -> Desk:
    """Where webhooks are made and steered."""
    found: Desk = current().extensions["webhooks"]
    return found


def caller() -> Caller:
    """Who sent this request."""
    return current().caller


def json_answer(document: Any, status: int = 200) -> Answer:
    """`document` as JSON."""
    return Answer(_encode(document), status)


def problem_answer(problem: Problem) -> Answer:
    """A refusal as `application/problem+json`."""
    document = problem.body(current().request_id)
    answer = Answer(_encode(document), problem.type.status, problems.MEDIA_TYPE)
    if problem.type.status == 401:
        answer.add("WWW-Authenticate", "Bearer")
    if problem.type in (problems.UNAVAILABLE, problems.TOO_MANY):
        answer.add("Retry-After", str(problem.extra.get("retry_after", problems.RETRY_AFTER)))
    return answer


MAX_ERRORS = 20
"""Errors that one answer lists."""


def body() -> Any:
    """The request's body as its route describes it; `malformed_json` or `invalid`, naming the field."""
    described = _described()
    schema = _made(described.takes or NothingSchema)
    data = sent()
    if not data and described.optional:
        return schema.load({})
    if data and not _says_json():
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


def _says_json() -> bool:
    said = _media_type()
    return said == JSON or (said.startswith("application/") and said.endswith("+json"))


def _media_type() -> str:
    """What the body is said to be, without parameters."""
    said: str = current().environ.get("CONTENT_TYPE", "")
    return said.partition(";")[0].strip().lower()


@cache
def _made(schema: type[Schema]) -> Schema:
    """Made once: to make one costs far more than a load, which keeps nothing in it."""
    return schema()


def _described() -> Description:
    matched = current().matched
    found = None if matched is None else matched.route.description
    assert found is not None, f"{current().endpoint} has no @describe"  # noqa: S101 - a mistake of ours; a test finds it
    return found


def sent() -> bytes:
    """The request's body, whole, as often as it is asked for; `too_large` if it is longer than its route
    takes.
    """
    most = _described().most
    data = current().body(most)
    if data is None:
        raise body_too_large(most)
    return data


def body_too_large(most: int | None) -> Problem:
    """The refusal of a body with more than `most` bytes."""
    return problems.TOO_LARGE(f"Here a body may have {most} bytes at most.")


def no_body() -> None:
    """Refuse a body where none is meant: who sends one expects it to matter."""
    body()


def octets() -> bytes:
    """The request's body as it is; `unsupported_media_type` if it says to be something else."""
    described = _described()
    data = sent()
    if _media_type() != described.body_type:
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
    assert described.query is not None, f"{current().endpoint} takes no query"  # noqa: S101 - as above
    text = current().environ.get("QUERY_STRING", "")
    load = _loaded if len(text) <= _LONGEST_KEPT else _loaded.__wrapped__
    return dict(load(described.query, text))


@lru_cache(_MOST_KEPT)
def _loaded(kind: type[Schema], text: str) -> Mapping[str, Any]:
    """What a query says; kept, as an agent that waits for a job asks the same again and again."""
    schema = _made(kind)
    said = _parameters(text)
    for name, values in said.items():
        if name not in schema.fields:
            known = ", ".join(sorted(schema.fields))
            raise problems.invalid_field(name, f"Unknown parameter; there are: {known}.")
        if len(values) > 1:
            raise problems.invalid_field(name, "Given more than once.")
    try:
        loaded: dict[str, Any] = schema.load({name: values[0] for name, values in said.items()})
    except ValidationError as error:
        raise invalid(flatten(error.messages)) from error
    return loaded


def _parameters(text: str) -> dict[str, list[str]]:
    """Those of a query as WSGI has it, in their order; bytes that are no UTF-8 stay as they are written."""
    found: dict[str, list[str]] = {}
    if not text.isascii():
        text = text.encode("latin-1").decode(errors="replace")
    for name, value in parse_qsl(text, keep_blank_values=True, errors="werkzeug.url_quote"):
        found.setdefault(name, []).append(value)
    return found
