"""The events that come by the thousand, as JSON: a job came, was given to a node, and was completed.

`master.store.codec` writes and reads all events. It is the reference: what is written here reads back as what
it would have written, and whatever has more in it than usual is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from common.model import NO_FINDINGS, Constraints, Scalar
from master.lifecycle import events as e
from master.store.jobs import ASKED, only_waits
from master.store.plain import AskedInEvent, NeedsAsJson, Submitted


class _Claimed(msgspec.Struct, gc=False, tag_field="event", tag="JobClaimed"):
    job_id: str
    at: datetime
    node_id: str
    lease_id: str
    number: int


class _Completed(msgspec.Struct, gc=False, tag_field="event", tag="JobCompleted"):
    job_id: str
    at: datetime
    node_id: str
    metrics: Mapping[str, Scalar]
    analyzer_output: Mapping[str, Scalar]
    report_digest: str


_Asked: Callable[..., AskedInEvent] = AskedInEvent
_encode = msgspec.json.Encoder().encode
_of_needs = attrgetter(*NeedsAsJson.__struct_fields__)
_before, _behind = ASKED[: ASKED.index("constraints")], ASKED[ASKED.index("constraints") + 1 :]
_of_job = attrgetter("id", *_before)
_rest_of_job = attrgetter(*_behind)


@lru_cache(maxsize=1024)
def _needs(constraints: Constraints) -> NeedsAsJson:
    return NeedsAsJson(*_of_needs(constraints))


def _submitted(event: e.JobSubmitted) -> Submitted | None:
    job = event.job
    if not only_waits(job):
        return None
    values = (*_of_job(job), _needs(job.constraints), *_rest_of_job(job))
    asked: AskedInEvent = _Asked(*values)
    return Submitted(asked, event.at, "JobSubmitted")


def _claimed(event: e.JobClaimed) -> _Claimed:
    return _Claimed(event.job_id, event.at, event.node_id, event.lease_id, event.number)


def _completed(event: e.JobCompleted) -> _Completed | None:
    if event.findings != NO_FINDINGS:
        return None
    return _Completed(
        event.job_id, event.at, event.node_id, event.metrics, event.analyzer_output, event.report_digest
    )


_BY_TYPE: Mapping[type, Callable[[Any], msgspec.Struct | None]] = {
    e.JobSubmitted: _submitted,
    e.JobClaimed: _claimed,
    e.JobCompleted: _completed,
}


def encode(event: e.Event) -> bytes | None:
    """The event as JSON; None if it is to be written by the codec."""
    plain = _BY_TYPE.get(type(event))
    if plain is None:
        return None
    try:
        made = plain(event)
        return None if made is None else _encode(made)
    except (TypeError, ValueError, OverflowError):
        return None  # such as a number that is too large
