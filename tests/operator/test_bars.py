"""Rows of jobs say how far each is, never go back, and count down between two looks."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from master.operator.live.bars import Shown, rows, time_left
from master.operator.live.following import new_lines
from master.operator.live.showing import Changes, result_line


def job(number: int = 1, status: str = "running", **fields: Any) -> dict[str, Any]:
    return {
        "id": f"{number:08}-0000", "scenario": "720p-h264", "status": status, "stage": "encode", "part": None,
        "parent_id": None, "node_id": "node-0001", "started_at": "2026-01-01T00:00:00Z", "retry_count": 0,
        "progress": None, "error": None, "pending_reason": None, "parameters": {}, "priority": "medium",
        **fields,
    }  # fmt: skip


def at(percent: float, left: float | None = None) -> dict[str, Any]:
    return {"frame": 1, "fps": 31.4, "speed": 1.05, "out_time": 1.0, "percent": percent, "seconds_left": left}


def drawn(*args: Any, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as found:
        console.print(rows(*args))
    return found.get()


def test_times_are_read_as_people_write_them() -> None:
    assert [time_left(each) for each in (None, 0.4, 65, 3_725)] == ["-", "0:00", "1:05", "1:02:05"]


def test_a_row_has_a_bar_and_what_is_known() -> None:
    text = drawn([job(progress=at(42.4, 95))], {}, Shown(), 0.0, 20)
    assert "00000001 720p-h264" in text
    for each in ("━", "42 %", "31 fps", "1.05x", "1:35"):
        assert each in text


def test_a_bar_does_not_go_back_but_a_new_attempt_begins_anew() -> None:
    shown = Shown()
    assert shown.percent(job(progress=at(50))) == 50
    assert shown.percent(job(progress=at(40))) == 50
    assert shown.percent(job(progress=at(10), started_at="2026-01-01T00:01:00Z")) == 10


def test_a_bar_of_a_job_with_parts_goes_on_when_they_are_joined() -> None:
    shown = Shown()
    assert shown.percent(job(status="pending", stage="join", progress=at(90))) == 90
    assert shown.percent(job(stage="join", started_at="2026-01-01T00:01:00Z")) == 90


def test_the_time_left_runs_down_until_it_is_told_anew() -> None:
    shown = Shown()
    assert shown.left(job(progress=at(1, 10)), 100.0) == 10
    assert shown.left(job(progress=at(1, 10)), 103.0) == 7
    assert shown.left(job(progress=at(1, 12)), 104.0) == 12
    assert shown.left(job(progress=at(1, None)), 104.0) is None


def test_parts_have_rows_below_their_job() -> None:
    parent = job(status="pending", stage="join", progress=at(30))
    part = job(2, part="360p", parent_id=parent["id"], progress=at(60, 5))
    lines = drawn([parent], {parent["id"]: [part]}, Shown(), 0.0, 20).splitlines()
    assert [("360p" in line, "60 %" in line) for line in lines[:2]] == [(False, False), (True, True)]


def test_of_more_than_there_is_room_for_those_that_run_are_shown_and_the_others_counted() -> None:
    many = [job(n, "pending") for n in range(1, 30)] + [job(30, progress=at(7))]
    text = drawn(many, {}, Shown(), 0.0, 5)
    assert "00000030" in text
    assert "and 29 pending" in text


def test_of_many_parts_the_whole_and_those_that_run_are_shown_and_the_others_counted() -> None:
    parent = job(status="pending", stage="join", progress=at(30), pending_reason="waits for its parts")
    done = [job(n, "completed", part=f"chunk-{n:03}") for n in range(2, 9)]
    running = [job(n, part=f"chunk-{n:03}", progress=at(60)) for n in (9, 10)]
    waiting = [job(n, "pending", part=f"chunk-{n:03}", pending_reason="soon") for n in range(11, 20)]
    text = drawn([parent], {parent["id"]: [*done, *running, *waiting]}, Shown(), 0.0, 10)
    lines = text.splitlines()
    assert "30 %" in lines[0]
    assert "waits for its parts" in lines[1]
    assert ["chunk-009" in lines[2], "chunk-010" in lines[3]] == [True, True]
    assert lines[4].strip() == "and 7 completed, 9 pending"
    assert len(lines) == 5


def test_chunks_are_in_the_order_of_the_film_and_say_once_what_many_wait_for() -> None:
    parent = job(status="pending", stage="join", progress=at(30))
    waiting = [job(n, "pending", part=f"chunk-{9 - n:03}", pending_reason="soon") for n in (2, 3, 4)]
    lines = drawn([parent], {parent["id"]: waiting}, Shown(), 0.0, 20).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["chunk-005", "soon", "chunk-006", "chunk-007"]


def test_a_twin_has_a_row_while_it_runs() -> None:
    parent = job(status="pending", stage="join", progress=at(30))
    first = job(2, part="chunk-001", progress=at(60))
    twin = job(3, part="chunk-001", twin_of=first["id"], progress=at(20))
    ended = job(4, "canceled", part="chunk-002", twin_of="other", error={"message": "was completed first"})
    lines = drawn([parent], {parent["id"]: [first, twin, ended]}, Shown(), 0.0, 20).splitlines()
    assert len(lines) == 3
    assert ["(twin)" in line for line in lines] == [False, False, True]
    assert "canceled" not in drawn([parent], {parent["id"]: [first, twin, ended]}, Shown(), 0.0, 3)


def test_into_a_pipe_goes_a_line_for_each_change_and_what_a_node_wrote_steers_no_terminal() -> None:
    stream = io.StringIO()
    changes = Changes(stream)
    for each in (
        job(),
        job(progress=at(50)),
        job(status="failed", error={"code": "x", "message": "\x1b[2J"}),
    ):
        changes.show([each], {}, None)
    assert stream.getvalue() == (
        "00000001 720p-h264: running on node-000\n00000001 720p-h264: failed: \\x1b[2J\n"
    )


def test_a_master_that_is_away_is_said_once_and_so_is_its_return() -> None:
    stream = io.StringIO()
    changes = Changes(stream)
    for away in (None, "the master does not answer", "the master does not answer", None, None):
        changes.show([], {}, away)
    assert stream.getvalue() == "reconnecting: the master does not answer\nthe master answers again\n"


def test_a_line_says_what_came_of_it() -> None:
    metrics = {"wall_seconds": 2.04, "fps": 58.7, "speed": 1.96, "bitrate": 4_982_000.0, "vmaf_mean": 93.26}
    assert result_line(job(status="completed"), {"metrics": metrics}) == (
        "00000001 720p-h264: completed, 2.0 s, 59 fps, 1.96x, 4,982 kbit/s, VMAF 93.3"
    )
    split = {"wall_seconds": 2.04, "chunks": 4}
    assert result_line(job(status="completed"), {"metrics": split}) == (
        "00000001 720p-h264: completed, 2.0 s, of 4 chunks"
    )
    whole = {"wall_seconds": 2.04, "split_note": "The input is encoded whole: it is interlaced."}
    assert result_line(job(status="completed"), {"metrics": whole}) == (
        "00000001 720p-h264: completed, 2.0 s, The input is encoded whole: it is interlaced."
    )
    assert result_line(job(status="canceled"), None) == "00000001 720p-h264: canceled"


def test_of_a_log_that_is_asked_for_again_the_new_lines_are_printed() -> None:
    assert list(new_lines([], ["a", "b"])) == ["a", "b"]
    assert list(new_lines(["a", "b"], ["a", "b"])) == []
    assert list(new_lines(["a", "b", "c"], ["b", "c", "d"])) == ["d"]
    assert list(new_lines(["a"], ["x", "y"])) == ["x", "y"]
