"""A job's story follows from its record and the audit: each thing once, in order, on a line that is full."""

from __future__ import annotations

from typing import Any

import pytest

from master.api.dashboard.timeline import LEAST, timeline

NODE = "node-1"


def at(seconds: int) -> str:
    return f"2026-01-01T00:{seconds // 60:02}:{seconds % 60:02}Z"


def attempt(number: int, begun: int, ended: int | None, outcome: str | None, **more: Any) -> dict[str, Any]:
    told = {"ended_at": None if ended is None else at(ended), "outcome": outcome, "error": None}
    return {"number": number, "node_id": NODE, "started_at": at(begun), **told, **more}


def job(*attempts: dict[str, Any], status: str = "running", finished: int | None = None) -> dict[str, Any]:
    ended = None if finished is None else at(finished)
    return {
        "created_at": at(0),
        "finished_at": ended,
        "status": status,
        "attempts": list(attempts),
        "error": None,
    }


def entry(seq: int, seconds: int, event: str, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"by": "amy", "node_id": None, "details": {}}
    return {"seq": seq, "at": at(seconds), "event": event, **told, **more}


def test_a_job_that_waits_is_one_piece_of_waiting() -> None:
    told = timeline(job(status="pending"), (), at(30))
    assert [(piece.kind, piece.seconds, piece.width) for piece in told.pieces] == [("waiting", 30, 100)]
    assert (told.seconds, told.waited) == (30, 30)
    assert [step.words for step in told.steps] == ["Submitted"]


def test_waits_and_attempts_stand_one_behind_the_other_in_proportion() -> None:
    told = timeline(
        job(attempt(1, 20, 50, "lost"), attempt(2, 60, 100, "completed"), status="completed", finished=100),
        (),
        at(500),
    )
    assert [(piece.kind, piece.left, piece.width) for piece in told.pieces] == [
        ("waiting", 0, 20),
        ("lost", 20, 30),
        ("waiting", 50, 10),
        ("completed", 60, 40),
    ]
    assert (told.seconds, told.waited) == (100, 30)


def test_a_running_attempt_lasts_until_now() -> None:
    told = timeline(job(attempt(1, 10, None, None)), (), at(40))
    assert [(piece.kind, piece.seconds) for piece in told.pieces] == [("waiting", 10), ("running", 30)]


def test_the_shortest_piece_is_seen_and_the_line_stays_full() -> None:
    told = timeline(job(attempt(1, 0, 0, "handed_back"), attempt(2, 3000, None, None)), (), at(3599))
    assert told.pieces[0].kind == "handed_back"
    assert told.pieces[0].width > LEAST / 2
    last = told.pieces[-1]
    assert last.left + last.width == pytest.approx(100, abs=0.01)


def test_clocks_that_went_back_make_no_negative_piece() -> None:
    told = timeline(job(attempt(1, 50, 20, "completed"), status="completed", finished=20), (), at(60))
    assert all(piece.seconds >= 0 and piece.width > 0 for piece in told.pieces)


def test_without_the_audit_the_record_tells_all_that_it_knows() -> None:
    broken = {"code": "encoder_stalled", "message": "it stood still"}
    found = job(
        attempt(1, 5, 9, "failed", error=broken),
        attempt(2, 14, 20, "completed"),
        status="completed",
        finished=20,
    )
    told = timeline(found, (), at(60))
    assert [(step.event, step.words) for step in told.steps] == [
        ("job_submitted", "Submitted"),
        ("job_claimed", "Attempt 1 began"),
        ("job_requeued", "Attempt ended: failed; the job waits again"),
        ("job_claimed", "Attempt 2 began"),
        ("job_completed", "Completed"),
    ]
    assert told.steps[2].error == broken


def test_a_canceled_job_that_never_ran_says_so() -> None:
    told = timeline(job(status="canceled", finished=9), (), at(60))
    assert [step.words for step in told.steps] == ["Submitted", "Canceled"]


def test_what_the_audit_tells_too_is_told_once_with_who_did_it() -> None:
    found = job(status="canceled", finished=9)
    told = timeline(
        found,
        [entry(8, 9, "job_canceled", by="bob"), entry(3, 4, "job_paused"), entry(1, 0, "job_submitted")],
        at(60),
    )
    assert [(step.words, step.by) for step in told.steps] == [
        ("Submitted", "amy"),
        ("Paused", "amy"),
        ("Canceled", "bob"),
    ]


def test_what_the_audit_has_lost_is_told_by_the_record() -> None:
    found = job(attempt(1, 5, None, None))
    told = timeline(found, [entry(7, 8, "job_paused")], at(60))
    assert [step.event for step in told.steps] == ["job_submitted", "job_claimed", "job_paused"]


def test_events_that_are_not_about_a_job_are_left_out() -> None:
    told = timeline(job(status="pending"), [entry(7, 8, "node_draining")], at(60))
    assert [step.event for step in told.steps] == ["job_submitted"]
