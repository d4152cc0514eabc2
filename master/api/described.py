"""What each route takes and answers, said once: requests are read by it, and `/openapi.json` prints it.

A new route says it in a decorator below its address:

    @blueprint.post("/jobs")
    @describe(JobSchema, status=201, takes=SubmitSchema, headers=(IDEMPOTENCY_KEY,), problems=(KEY_REUSED,))
    def submit() -> Response:
        \"\"\"Queue a job.

        The first line is the summary, and what follows the description, in Markdown.
        \"\"\"
        fields = body()

`body()` and `query()` of `master.api.answers` read the request as it is described here; the answer's
schema is one of `common.documents`. Roles come from `master.auth.ROUTES`, the tag from the
blueprint, its description from the module's docstring. What any route may refuse (see
`master.api.openapi`) is not repeated. A route without a description fails a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from marshmallow import Schema, fields, validate

from common.client import HISTORY_HEADER, INSTANCE_HEADER, PROTOCOL_HEADER, REPLACES_HEADER
from common.fields import Matches, StrictInteger, StrictString
from common.problems import ProblemType
from common.request_ids import MAX_REQUEST_ID, REQUEST_ID_HEADER
from common.version import PROTOCOL

SMALL_BODY = 64 * 1024
"""Bytes that a body may have, where no log comes with it."""
LARGE_BODY = 4 * 1024 * 1024
"""Bytes that a body with a log may have."""
BATCH_BODY = 16 * 1024 * 1024
"""Bytes that a batch of jobs may have."""
CHUNK_BODY = 8 * 1024 * 1024
"""Bytes that a piece of a file may have."""
JSON = "application/json"
OCTETS = "application/octet-stream"
"""Bytes of a file: its body is read by `octets()` of `master.api.answers`."""
FORM = "application/x-www-form-urlencoded"
MAX_KEY = 255
"""Characters of an `Idempotency-Key`."""


@dataclass(frozen=True, slots=True)
class Header:
    """A header that a request or an answer may have."""

    name: str
    field: fields.Field[Any]
    """What it may be."""
    text: str
    """What it is for."""


is_key = Matches(
    rf"[!-~]([ -~]{{0,{MAX_KEY - 2}}}[!-~])?", f"Must be 1 to {MAX_KEY} printable ASCII characters."
)
IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    StrictString(validate=is_key),
    "Makes the request safe to repeat: the same key and body again get the answer of the first.",
)
SPEAKS = Header(
    PROTOCOL_HEADER,
    StrictInteger(validate=validate.Range(PROTOCOL - 1, PROTOCOL + 1)),
    "The protocol that an agent or the `ffrtmp` command speaks; others need not say it.",
)
HEARD = Header(
    HISTORY_HEADER,
    StrictString(),
    "How many events are on the master's disk, and which start of it says so; agents send it back.",
)
REQUEST_ID = Header(
    REQUEST_ID_HEADER,
    StrictString(),
    f"What the request is called in logs: up to {MAX_REQUEST_ID} letters, digits and `._-`. The answer has "
    "it too; if it is left out, or is another text, the master makes one.",
)
INSTANCE = Header(INSTANCE_HEADER, StrictString(), "The agent's process, as it registered.")
REPLACES = Header(REPLACES_HEADER, StrictString(), "The agent's process that this one takes the place of.")
RETRY_AFTER = Header("Retry-After", StrictInteger(), "Seconds to wait before it is worth asking again.")


LAST_EVENT_ID = Header(
    "Last-Event-ID",
    StrictString(validate=Matches("[0-9]{0,15}", "Must be the id of an event of this stream.")),
    "The id of the last event that was heard: the stream goes on behind it. Browsers send it by themselves.",
)


@dataclass(frozen=True, slots=True)
class Link:
    """What can be asked next, with something from the answer."""

    to: str
    """The endpoint."""
    parameters: Mapping[str, str]
    """Its parameters, and where in the answer each value stands (a JSON pointer)."""
    body: Mapping[str, str] = field(default_factory=dict)
    """The same for fields of its body."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a route takes and answers."""

    answers: type[Schema] | None
    """None: no JSON of ours."""
    status: int
    media_type: str | None
    """None: no content."""
    takes: type[Schema] | None
    """The body; None: no field is known."""
    body_type: str
    """Its media type."""
    optional: bool
    """Whether the body may be left out."""
    most: int
    """Bytes that the body may have."""
    query: type[Schema] | None
    headers: tuple[Header, ...]
    answer_headers: tuple[Header, ...]
    problems: tuple[ProblemType, ...]
    """What it refuses, beyond what any route may refuse."""
    links: tuple[Link, ...]
    streams: str | None
    """The media type of a stream that may be asked for in place of the answer."""
    partial: bool
    """Whether a part of the answer may be asked for (`Range`, status 206)."""
    slow: bool
    """Whether it reads or writes files, waits for others, or answers much: a thread of its own does it."""


_View = TypeVar("_View", bound=Callable[..., Any])
_DESCRIPTIONS: dict[Callable[..., Any], Description] = {}


def describe(
    answers: type[Schema] | None = None,
    *,
    status: int = 200,
    media_type: str | None = None,
    takes: type[Schema] | None = None,
    body_type: str = JSON,
    optional: bool = False,
    most: int = SMALL_BODY,
    query: type[Schema] | None = None,
    headers: tuple[Header, ...] = (),
    answer_headers: tuple[Header, ...] = (),
    problems: tuple[ProblemType, ...] = (),
    links: tuple[Link, ...] = (),
    streams: str | None = None,
    partial: bool = False,
    slow: bool = False,
) -> Callable[[_View], _View]:
    """Say what a route takes and answers; the arguments are the fields of `Description`."""
    described = Description(
        answers=answers,
        status=status,
        media_type=media_type if answers is None else JSON,
        takes=takes,
        body_type=body_type,
        optional=optional or (takes is None and body_type == JSON),
        most=most,
        query=query,
        headers=headers,
        answer_headers=answer_headers,
        problems=problems,
        links=links,
        streams=streams,
        partial=partial,
        slow=slow or streams is not None or partial,
    )

    def mark(view: _View) -> _View:
        _DESCRIPTIONS[view] = described
        return view

    return mark


def description_of(view: Callable[..., Any]) -> Description | None:
    """What `describe` said of the function behind a route; None if nothing was said."""
    return _DESCRIPTIONS.get(view)
