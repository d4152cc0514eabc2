"""The catalogue of problem types: every error the API answers (RFC 9457).

`docs/problems.md` lists them for people; a test compares both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of error: its name on the wire, its HTTP status, its title."""

    slug: str
    status: int
    title: str

    def __call__(self, detail: str, **extra: Any) -> Problem:
        """A problem of this type; `detail` says what happened and what to do."""
        return Problem(self, detail, extra)


class Problem(Exception):  # noqa: N818 - the RFC's word, and it is no error of ours
    """A refusal with its reason; the edges render it, nothing else catches it."""

    def __init__(self, type_: ProblemType, detail: str, extra: dict[str, Any]) -> None:
        super().__init__(detail)
        self.type = type_
        self.detail = detail
        self.extra = extra

    def body(self, request_id: str) -> dict[str, Any]:
        """The `application/problem+json` document; `request_id`: by which the log has it."""
        return {
            "type": f"urn:ffrtmp:problem:{self.type.slug}",
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
            **self.extra,
            "request_id": request_id,
        }


MALFORMED_JSON = ProblemType("malformed_json", 400, "The body is not valid JSON")
INVALID = ProblemType("invalid", 400, "The request does not fit its schema")
UNKNOWN_SCENARIO = ProblemType("unknown_scenario", 400, "No scenario has this name")
UNAUTHENTICATED = ProblemType("unauthenticated", 401, "Nobody knows who you are")
CREDENTIAL_EXPIRED = ProblemType("credential_expired", 401, "The node's credential has expired")
CREDENTIAL_REVOKED = ProblemType("credential_revoked", 401, "The node's credential was revoked")
TOKEN_EXPIRED = ProblemType("token_expired", 401, "The token has expired")
TOKEN_REVOKED = ProblemType("token_revoked", 401, "The token was revoked")
TOKEN_USED_UP = ProblemType("token_used_up", 401, "The token is used up")
FORBIDDEN = ProblemType("forbidden", 403, "You may not do this")
CROSS_SITE = ProblemType("cross_site", 403, "Another web site sent this")
NOT_FOUND = ProblemType("not_found", 404, "There is nothing at this address")
UNKNOWN_JOB = ProblemType("unknown_job", 404, "No job has this id")
UNKNOWN_NODE = ProblemType("unknown_node", 404, "No node has this id")
UNKNOWN_TOKEN = ProblemType("unknown_token", 404, "No token has this id")
UNKNOWN_WEBHOOK = ProblemType("unknown_webhook", 404, "No webhook has this id")
UNKNOWN_FILE = ProblemType("unknown_file", 404, "There is no such file here for you")
UNKNOWN_UPLOAD = ProblemType("unknown_upload", 404, "No upload has this id")
NO_RESULT = ProblemType("no_result", 404, "The job has no result")
METHOD_NOT_ALLOWED = ProblemType("method_not_allowed", 405, "This address does not take this method")
TOO_SLOW = ProblemType("too_slow", 408, "The request came too slowly")
STALE_LEASE = ProblemType("stale_lease", 409, "The lease is not the job's current one")
JOB_FINISHED = ProblemType("job_finished", 409, "The job is finished")
JOB_NOT_FINISHED = ProblemType("job_not_finished", 409, "The job is not finished yet")
PART_OF_JOB = ProblemType("part_of_job", 409, "The job is a part of another one")
DEPENDENCY_FAILED = ProblemType("dependency_failed", 409, "A job that it depends on cannot be completed")
JOB_RUNNING = ProblemType("job_running", 409, "The job is running")
WRONG_OFFSET = ProblemType("wrong_offset", 409, "The upload goes on elsewhere")
FILE_IN_USE = ProblemType("file_in_use", 409, "An unfinished job needs the file")
IDENTITY_IN_USE = ProblemType("identity_in_use", 409, "Another agent works under this identity")
NODE_REVOKED = ProblemType("node_revoked", 409, "The node was revoked")
PROTOCOL_MISMATCH = ProblemType("protocol_mismatch", 409, "Agent and master are too many versions apart")
TOO_LARGE = ProblemType("too_large", 413, "The body is too large")
FILES_FULL = ProblemType("files_full", 413, "The file store has no room for it")
UNSUPPORTED_MEDIA_TYPE = ProblemType("unsupported_media_type", 415, "The body is of another kind")
WRONG_RANGE = ProblemType("wrong_range", 416, "The file has no such part")
UNKNOWN_HOST = ProblemType("unknown_host", 421, "The master does not go by this name")
HEAD_TOO_LARGE = ProblemType("head_too_large", 431, "The request's head is too large")
KEY_REUSED = ProblemType("key_reused", 422, "The Idempotency-Key belongs to another request")
WRONG_HASH = ProblemType("wrong_hash", 422, "What was sent is not what was announced")
TOO_MANY = ProblemType("too_many", 429, "There are too many of these")
RESULT_MISMATCH = ProblemType("result_mismatch", 422, "Another result was accepted for this lease")
USE_HTTPS = ProblemType("use_https", 308, "This port speaks HTTPS")
INTERNAL = ProblemType("internal", 500, "The master made a mistake")
UNAVAILABLE = ProblemType("unavailable", 503, "The master cannot do this now")
RETRY_AFTER = "5"
"""Seconds to wait before trying again what the master could not do now."""


def invalid_field(field: str, message: str) -> Problem:
    """`invalid`, where one field is what is wrong."""
    return INVALID(f"{field}: {message}", errors=[{"field": field, "message": message}])


ALL: tuple[ProblemType, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, ProblemType)
)
