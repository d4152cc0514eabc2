"""The story of a job: its attempts on a line of time, and what happened, in order. Pure.

The job's record has its attempts; the audit trail also says who did what, for those who may read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.timestamps import parse_timestamp

Document = Mapping[str, Any]
LEAST = 0.4
"""Percent of the line that a piece takes at least: what was short is seen too."""

WORDS: Mapping[str, str] = {
    "job_submitted": "Submitted",
    "job_claimed": "Attempt {number} began",
    "job_completed": "Completed",
    "job_requeued": "Attempt ended: {outcome}; the job waits again",
    "job_failed": "Failed",
    "job_canceled": "Canceled",
    "job_paused": "Paused",
    "job_resumed": "Resumed",
    "job_divided": "Divided into parts",
    "job_parts_completed": "All its parts are completed",
    "job_part_failed": "A part of it failed",
    "job_twin_completed": "Its twin was completed first",
    "job_twin_failed": "It failed, and so did its twin",
    "job_dependencies_completed": "All jobs that it depends on are completed",
    "job_dependency_failed": "A job that it depends on failed",
    "job_archived": "Moved to the archive",
}
_ENDS = {
    "completed": "job_completed",
    "failed": "job_failed",
    "canceled": "job_canceled",
}
_DIVIDED = "divided"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the job's time, on a line of 100 units."""

    kind: str
    """`waiting`, `running`, or how the attempt ended: `completed`, `lost` …"""
    left: float
    width: float
    seconds: float
    attempt: Document | None
    """None: it waited."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened."""

    at: str
    event: str
    """Its name in the audit."""
    words: str
    node_id: str | None = None
    error: Document | None = None
    by: str | None = None
    """Who did it; None: nobody told, or the reader may not know."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """All of it."""

    pieces: Sequence[Piece]
    steps: Sequence[Step]
    """Oldest first."""
    seconds: float
    """From the submission to the end, or until now."""
    waited: float
    """Seconds of these in which nothing ran."""


def timeline(job: Document, entries: Iterable[Document], now: str) -> Timeline:
    """The story of `job`, a full document of the API. `entries`: those of the audit that are about it, in any
    order, as far as they are known. `now`: the time, as the wire has it.
    """
    end = max(job["finished_at"] or now, job["created_at"])
    whole = _seconds(job["created_at"], end)
    pieces = _pieces(job, end, whole)
    waited = sum(piece.seconds for piece in pieces if piece.attempt is None)
    return Timeline(pieces, _steps(job, entries), whole, waited)


def _seconds(begin: str, end: str) -> float:
    return max(0.0, (parse_timestamp(end) - parse_timestamp(begin)).total_seconds())


def _pieces(job: Document, end: str, whole: float) -> list[Piece]:
    """Attempts, and the waits before and between them, one behind the other."""
    made: list[tuple[str, float, Document | None]] = []
    at = job["created_at"]
    for attempt in job["attempts"]:
        if (wait := _seconds(at, attempt["started_at"])) > 0:
            made.append(("waiting", wait, None))
        ended = attempt["ended_at"] or end
        made.append((attempt["outcome"] or "running", _seconds(attempt["started_at"], ended), attempt))
        at = max(at, ended)
    if (wait := _seconds(at, end)) > 0 or not made:
        made.append(("waiting", wait, None))
    shares = [max(LEAST, 100 * seconds / whole) if whole else 100 / len(made) for _, seconds, _ in made]
    scale = 100 / sum(shares)
    pieces, left = [], 0.0
    for (kind, seconds, attempt), share in zip(made, shares, strict=True):
        pieces.append(Piece(kind, round(left, 3), round(share * scale, 3), seconds, attempt))
        left += share * scale
    return pieces


def _steps(job: Document, entries: Iterable[Document]) -> list[Step]:
    """What the record tells, and what the audit tells; what both tell is told once, by the audit."""
    told = {entry["seq"]: _from_audit(entry) for entry in entries if entry["event"] in WORDS}
    known = {(step.event, step.at) for step in told.values()}
    found = [step for step in _from_record(job) if (step.event, step.at) not in known]
    found += [told[seq] for seq in sorted(told)]
    # The sort is stable: in one second, what the record tells stands in its own order.
    return sorted(found, key=lambda step: (step.at, _rank(step.event)))


def _rank(event: str) -> int:
    """Of what has the same second: what must have come first."""
    if event == "job_submitted":
        return 0
    return 2 if event == "job_archived" else 1


def _from_audit(entry: Document) -> Step:
    details = entry["details"]
    words = WORDS[entry["event"]].format(
        number=details.get("attempt", ""), outcome=_said(details.get("outcome"))
    )
    return Step(entry["at"], entry["event"], words, entry["node_id"], details.get("error"), entry["by"])


def _said(outcome: str | None) -> str:
    return (outcome or "unknown").replace("_", " ")


def _from_record(job: Document) -> list[Step]:
    steps = [Step(job["created_at"], "job_submitted", WORDS["job_submitted"])]
    ends = []
    for attempt in job["attempts"]:
        words = WORDS["job_claimed"].format(number=attempt["number"])
        steps.append(Step(attempt["started_at"], "job_claimed", words, attempt["node_id"]))
        if attempt["ended_at"] is not None:
            ends.append(_end(job, attempt))
            steps.append(ends[-1])
    final = _ENDS.get(job["status"])
    if final is not None and job["finished_at"] is not None:
        last = Step(job["finished_at"], final, WORDS[final], error=job["error"])
        if not ends or (ends[-1].event, ends[-1].at) != (last.event, last.at):
            steps.append(last)
    return steps


def _end(job: Document, attempt: Document) -> Step:
    """The end of an attempt: of the job too, if that has just the same."""
    outcome, at = attempt["outcome"], attempt["ended_at"]
    if outcome == _DIVIDED:
        return Step(at, "job_divided", WORDS["job_divided"], attempt["node_id"])
    event = _ENDS.get(job["status"]) if at == job["finished_at"] else None
    last = attempt["number"] == job["attempts"][-1]["number"]
    if event is None or not last:
        words = WORDS["job_requeued"].format(outcome=_said(outcome))
        return Step(at, "job_requeued", words, attempt["node_id"], attempt["error"])
    return Step(at, event, WORDS[event], attempt["node_id"], attempt["error"])
