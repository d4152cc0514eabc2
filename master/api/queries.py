"""What a query may say: a marshmallow schema for every route that takes one."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields, validate

from common.durations import parse_duration
from common.fields import Matches, OneOf, StrictString, says
from common.model import JobStatus
from common.schema import MAX_REPORTS, Strict
from common.timestamps import TIMESTAMP, parse_timestamp
from master.api.documents import (
    ARCHIVE_CURSOR,
    LISTING_CURSOR,
    NO_SUCH_PAGE,
    parse_archive_cursor,
    parse_cursor,
)
from master.lifecycle.audit import NAMES
from master.live import PROGRESS

MAX_WAIT = 60
"""Seconds that a poll may ask to be parked."""
MAX_PLACE = 10**15 - 1
"""No place in a stream is further on."""
MAX_PAGE = 1000
"""Entries of one page."""


class Digits(fields.Integer):
    """A whole number, as a query writes it: digits only."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not re.fullmatch("-?[0-9]{1,15}", value):
            raise ValidationError("Must be a whole number.")
        return super()._deserialize(value, attr, data, **kwargs)


class Wait(fields.Field[float]):
    """Seconds up to MAX_WAIT, as `20`, `2.5`, `20s`, `500ms` or `1m`."""

    regex = re.compile(r"^(([1-5]?[0-9](\.[0-9]{1,6})?|60)s?|[1-5]?[0-9]{1,4}ms|60000ms|1m)$", flags=re.ASCII)

    def _deserialize(self, value: str, attr: str | None, data: Any, **kwargs: Any) -> float:
        if not self.regex.fullmatch(value):
            raise ValidationError(f"Must be 0 to {MAX_WAIT} seconds, as 20, 20s, 500ms or 1m.")
        if value[-1].isdigit():
            return float(value)
        return parse_duration(value) if value.strip("0.ms") else 0.0


class Flag(StrictString):
    """`1` or `0`."""

    regex = re.compile("^[01]$", re.ASCII)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value not in ("0", "1"):
            raise ValidationError("Must be 1 or 0.")
        return value == "1"


class ListingCursor(StrictString):
    """A place in a listing."""

    regex = LISTING_CURSOR

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return parse_cursor(value)


class ArchiveCursor(StrictString):
    """A place in the archive."""

    regex = ARCHIVE_CURSOR

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return parse_archive_cursor(value)


class AuditCursor(StrictString):
    """A place in the audit: the number of an entry."""

    regex = re.compile(r"^[1-9][0-9]{0,15}$", re.ASCII)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not self.regex.fullmatch(value):
            raise ValidationError(NO_SUCH_PAGE)
        return int(value)


class Timestamp(StrictString):
    """A moment in UTC."""

    regex = TIMESTAMP

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return parse_timestamp(value)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Leases(StrictString):
    """Lease ids, with commas between."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return value.split(",")


def _limit() -> Digits:
    bounds = validate.Range(1, MAX_PAGE, error="Must be a number from {min} to {max}.")
    return Digits(load_default=MAX_PAGE, validate=bounds, **says("entries on the page"))


_AFTER = says("the `next` of the page before")


def _whole() -> Flag:
    return Flag(load_default=False, **says("1: without the parts of divided jobs", default="0"))


class PageQuery(Strict):
    """A page of a list."""

    limit = _limit()
    after = ListingCursor(load_default=None, allow_none=False, **_AFTER)


class JobsQuery(PageQuery):
    """A page of jobs."""

    status = OneOf(JobStatus, load_default=None, allow_none=False, **says("jobs with this status only"))
    parent_id = StrictString(
        load_default=None,
        allow_none=False,
        validate=validate.Length(min=1, error="Must not be empty."),
        **says("the parts of that job only"),
    )
    depends_on = StrictString(
        load_default=None,
        allow_none=False,
        validate=validate.Length(min=1, error="Must not be empty."),
        **says("jobs that depend on that job only"),
    )
    id_prefix = StrictString(
        load_default=None,
        allow_none=False,
        validate=Matches(r"[0-9a-f-]{4,36}", "Must be 4 to 36 characters of an id: 0-9, a-f and -."),
        **says("jobs whose ids begin so"),
    )
    whole = _whole()


class ResultsQuery(PageQuery):
    """A page of results."""

    whole = _whole()


class ArchiveQuery(Strict):
    """A page of the archive."""

    limit = _limit()
    whole = _whole()
    after = ArchiveCursor(load_default=None, allow_none=False, **_AFTER)
    job_id = StrictString(
        load_default=None,
        allow_none=False,
        validate=validate.Length(min=1, error="Must not be empty."),
        **says("that job's result only, however it ended"),
    )


class FileCursor(StrictString):
    """A place in the list of files: the SHA-256 of the last one seen."""

    regex = re.compile(r"^[0-9a-f]{64}$", re.ASCII)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not self.regex.fullmatch(value):
            raise ValidationError(NO_SUCH_PAGE)
        return value


class FilesQuery(Strict):
    """A page of files, and which are wanted."""

    limit = _limit()
    after = FileCursor(load_default=None, allow_none=False, **_AFTER)
    sha256 = StrictString(
        load_default="",
        validate=Matches(r"[0-9a-f]{0,64}", "Must be up to 64 digits of 0-9 and a-f."),
        **says("files whose hash begins so", default=None),
    )


def _name(text: str) -> StrictString:
    return StrictString(load_default=None, allow_none=False, validate=validate.Length(1, 255), **says(text))


class AuditQuery(Strict):
    """A page of the audit, and which entries are wanted."""

    limit = _limit()
    after = AuditCursor(load_default=None, allow_none=False, **_AFTER)
    by = _name("what this one did: `operator`, `master`, `node:<id>`, or the name of a token")
    event = StrictString(
        load_default=None,
        allow_none=False,
        validate=validate.OneOf(list(NAMES.values()), error="Must be one of: {choices}."),
        **says("events of this name only"),
    )
    job_id = _name("what happened to this job")
    node_id = _name("what happened to this node")
    since = Timestamp(load_default=None, allow_none=False, **says("what happened at this time or later"))
    until = Timestamp(load_default=None, allow_none=False, **says("what happened before this time"))


def _place(text: str, default: str) -> Digits:
    bounds = validate.Range(0, MAX_PLACE, error="Must be the id of an event of this stream, or 0.")
    return Digits(load_default=None, allow_none=False, validate=bounds, **says(text, default=default))


class Names(StrictString):
    """Names of events, with commas between."""

    known = (*NAMES.values(), PROGRESS)
    regex = re.compile(f"^({'|'.join(known)})(,({'|'.join(known)}))*$", re.ASCII)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not self.regex.fullmatch(value):
            raise ValidationError(
                f"Must be one or more of these, with commas between: {', '.join(self.known)}."
            )
        return frozenset(value.split(","))


class EventsQuery(Strict):
    """Which events are wanted, and from where on."""

    after = _place("the `seq` of the last event that is known; 0: from the beginning", "from now on")
    event = Names(
        load_default=None,
        allow_none=False,
        **says("events of these names only, with commas between; `progress` is one of them"),
    )
    follow = Flag(
        load_default=True,
        **says("0: end where all is told that has happened by now, in place of staying", default="1"),
    )
    job_id = _name("what happens to this job")
    node_id = _name("what happens to this node")


class LogQuery(Strict):
    """Whether to follow a log, and from where on."""

    follow = Flag(load_default=False, **says("1: stay, and send lines as they are written", default="0"))
    after = _place("with `follow`: the id of the last line that is known", "from the beginning")


def _leases() -> Leases:
    return Leases(
        load_default=None, allow_none=False, **says("the leases that the agent holds, with commas between")
    )


_MISSING = "Missing; write /jobs/next?node_id=<id>."


class NextJobQuery(Strict):
    """What a node wants, and holds."""

    node_id = StrictString(
        required=True,
        validate=validate.Length(min=1, error=_MISSING),
        error_messages={"required": _MISSING},
        **says("the node"),
    )
    wait = Wait(
        load_default=0.0,
        **says(f"how long to wait for a job, up to {MAX_WAIT} seconds: `20`, `20s` or `1m`", default="0"),
    )
    leases = _leases()
    max = Digits(
        load_default=None,
        allow_none=False,
        validate=validate.Range(1, MAX_REPORTS, error="Must be a number from {min} to {max}."),
        **says("answer several jobs in a list, up to this number", default="one job, and in no list"),
    )


class ReportQuery(Strict):
    """Whether the node wants its next job with the answer, and what it holds."""

    next = Flag(load_default=False, **says("1: answer the next job of the node too", default="0"))
    leases = _leases()


class DeliveriesQuery(Strict):
    """How many deliveries."""

    limit = _limit()
