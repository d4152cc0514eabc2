"""What Schemathesis should know of the master beside its OpenAPI document; it loads this by name."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.openapi.checks import RejectedPositiveData

from common import problems
from common.client import PROTOCOL_HEADER
from common.schema import ParametersSchema
from common.version import PROTOCOL
from master.api.queries import Wait

WAIT = Wait.regex
# No regular expression tells these.
schemathesis.openapi.format("ffrtmp-input", st.just("media:films/a day.mp4"))
schemathesis.openapi.format("ffrtmp-output", st.just("media:finished/a day.mp4"))
schemathesis.openapi.format("ffrtmp-host-pattern", st.just("*.example.com"))


@schemathesis.hook
def map_query(_context: Any, query: dict[str, Any]) -> dict[str, Any]:
    """No poll is parked for long: a minute each would be all that is tested."""
    wait = query.get("wait") if query else None
    return {**query, "wait": "50ms"} if isinstance(wait, str) and WAIT.fullmatch(wait) else query


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """No stream stays open: a request that follows would never end. What is refused stays as it is."""
    query = case.query or {}
    follow = query.get("follow", "1" if case.operation.path == "/events" else "0")
    if case.operation.path in ("/events", "/jobs/{job_id}/logs") and follow == "1":
        case.query = {**query, "follow": "0"}


@schemathesis.hook
def map_headers(_context: Any, headers: dict[str, Any]) -> dict[str, Any]:
    """Nobody is newer than the master: such a caller may say more than is described."""
    if not headers or str(headers.get(PROTOCOL_HEADER)) != str(PROTOCOL + 1):
        return headers
    return {**headers, PROTOCOL_HEADER: str(PROTOCOL)}


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Whether a failure is one: not if the request was refused for what no schema can say."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code != problems.INVALID.status:
        return True
    refused = [error["field"] for error in response.json().get("errors", [])]
    return not (refused and all(beyond_schemas(field, case.body) for field in refused))


def beyond_schemas(field: str, body: Any) -> bool:
    """Whether it is a cursor (which page gave it?), what a token of that role has not, a place in a batch
    (which jobs come before it?), or something in parameters that fit their schema each.
    """
    if field in ("uses", "name") and isinstance(body, dict) and "scenario" not in body:
        return True
    if field == "depends_on" and isinstance(body, dict) and "jobs" in body:
        return True
    if field in ("url", "events", "since_seq", "delivery_id"):  # what is public, and what there is to be told
        return True
    jobs = body.get("jobs", [body]) if isinstance(body, dict) else []
    wrong = [ParametersSchema().validate(job.get("parameters", {})) for job in jobs]
    # The pattern of a bitrate does not say which ones are too low or too high.
    fit = all(set(errors) <= {"bitrate", "audio_bitrate", "maxrate"} for errors in wrong)
    if field in ("since", "until"):  # a pattern does not say which days there are
        return True
    return field == "after" or ("parameters." in field and fit)
