"""Of each running job the newest report is told, at most one a second."""

from __future__ import annotations

from datetime import UTC, datetime

from common.model import Progress
from master.live.progress import PACE, Board, Report

AT = datetime(2026, 1, 1, tzinfo=UTC)


def report(job_id: str, frame: int) -> Report:
    return Report(job_id, "n", None, Progress(frame=frame), 0.0, AT)


def frames(reports: list[Report]) -> list[tuple[str, int | None]]:
    return [(each.job_id, each.progress.frame) for each in reports]


def test_the_first_report_is_shown_at_once_and_the_next_in_its_time() -> None:
    board = Board()
    board.note(report("a", 1))
    assert frames(board.show(10.0)) == [("a", 1)]
    board.note(report("a", 2))
    board.note(report("b", 1))
    assert frames(board.show(10.0 + PACE / 2)) == [("b", 1)]
    assert board.waits
    board.note(report("a", 3))
    assert frames(board.show(10.0 + PACE)) == [("a", 3)]
    assert not board.waits


def test_a_reader_gets_the_newest_of_what_it_has_not_had() -> None:
    board = Board()
    for n, job_id in enumerate("abab"):
        board.note(report(job_id, n))
        board.show(n * PACE)
    assert frames(board.since(0)) == [("a", 2), ("b", 3)]
    assert frames(board.since(board.number - 1)) == [("b", 3)]
    assert frames(board.since(board.number)) == []


def test_a_job_that_runs_no_more_is_forgotten() -> None:
    board = Board()
    board.note(report("a", 1))
    board.show(0.0)
    board.note(report("a", 2))
    board.forget("a")
    assert frames(board.since(0)) == []
    assert frames(board.show(100.0)) == []
