"""The screen of `ffrtmp top` shows the farm in the room that there is."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from master.operator.live.bars import Shown
from master.operator.live.frame import SORTS, Seen, View, frame, next_sort
from tests.operator.test_bars import at, job

NOW = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


def node(number: int) -> dict[str, Any]:
    return {
        "id": f"node-{number:04}", "address": f"encoder-{number:02}.farm.example", "status": "busy",
        "running_jobs": 1, "max_concurrent_jobs": 2, "cpu_threads": 16,
    }  # fmt: skip


def result(number: int, status: str = "completed", ended: str = "2026-01-01T00:09:00Z") -> dict[str, Any]:
    error = None if status == "completed" else {"code": "x", "message": "the disk is full " * 20}
    return {
        "job_id": f"{number:08}-ffff", "scenario": "4K60-h265", "status": status, "completed_at": ended,
        "metrics": {"fps": 12.0}, "error": error,
    }  # fmt: skip


def farm(nodes: int = 2, running: int = 3, pending: int = 2, finished: int = 3, **more: Any) -> Seen:
    counts = {"running": running, "pending": pending, "completed": finished}
    return Seen(
        [node(n) for n in range(nodes)],
        [job(n, progress=at(10.0 * n, 90 - n), node_id=f"node-{n % 2:04}") for n in range(running)],
        [job(500 + n, "pending", pending_reason="waits for a free slot " * 9) for n in range(pending)],
        [result(n) for n in range(finished)],
        counts=counts,
        **more,
    )


def screen(seen: Seen, view: View | None = None, size: tuple[int, int] = (80, 24)) -> list[str]:
    console = Console(width=size[0], file=io.StringIO(), color_system=None)
    with console.capture() as found:
        console.print(frame(seen, view or View(), size, Shown(), 0.0, NOW, "localhost:8080"))
    return found.get().splitlines()


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (200, 60)])
@pytest.mark.parametrize("count", [0, 3, 500])
def test_it_fits(size: tuple[int, int], count: int) -> None:
    lines = screen(farm(count, count, count, count), size=size)
    assert len(lines) <= max(size[1], 18)
    assert max(map(len, lines)) <= size[0]


def test_at_80_by_24_it_has_all_sections_and_says_how_many_more_there_are() -> None:
    text = "\n".join(screen(farm(30, 40, 50, 9)))
    for title in ("NODES  30  and", "RUNNING by left  40  and", "WAITING  50  and", "FINISHED"):
        assert title in text
    assert "q quit" in text
    assert len(text.splitlines()) <= 24


def test_a_running_job_has_its_bar_and_the_time_left() -> None:
    text = "\n".join(screen(farm()))
    assert "20 %" in text
    assert "1:28" in text


def test_running_jobs_are_sorted_by_what_was_chosen() -> None:
    def order(view: View) -> list[str]:
        return [line[:8] for line in screen(farm(), view) if "720p-h264" in line and "fps" in line]

    view = View()
    assert order(view) == ["00000002", "00000001", "00000000"]  # least time left first
    assert order(View(sort="node")) == ["00000000", "00000002", "00000001"]
    seen = [view.sort]
    for _ in SORTS:
        view = next_sort(view)
        seen.append(view.sort)
    assert seen == [*SORTS, "left"]


def test_what_waits_is_in_the_order_of_its_priority() -> None:
    waiting = [job(1, "pending", priority="low"), job(2, "pending", priority="high")]
    lines = screen(Seen(pending=waiting, counts={"pending": 2}))
    assert [line[:8] for line in lines if line.startswith("0000")] == ["00000002", "00000001"]


def test_all_that_waits_is_summed_up_however_little_of_it_is_shown() -> None:
    waiting = {
        "high": {"jobs": 4, "oldest": 90.0},
        "medium": {"jobs": 0, "oldest": None},
        "low": {"jobs": 41, "oldest": 7200.0},
    }
    lines = screen(farm(2, 3, 45, 3, waiting=waiting, stuck=5), size=(120, 24))
    (title,) = [line for line in lines if line.startswith("WAITING")]
    assert "45: 4 high (oldest 1m30s), 41 low (oldest 2h), 5 that no node can take  and" in title
    assert title.rstrip().endswith("more")


def test_nodes_are_sorted_and_told_by_their_names() -> None:
    nodes = [{**node(1), "id": "a", "address": "zebra"}, {**node(2), "id": "b", "address": "ape"}]
    seen = Seen(nodes, [job(1, node_id="a"), job(2, node_id="b"), job(3, node_id="gone-for-good")])
    lines = [line for line in screen(seen, View(sort="node"), (120, 30)) if "720p-h264" in line]
    assert [line.split()[-1] for line in lines] == ["ape", "gone-for", "zebra"]


def test_why_a_job_failed_is_said() -> None:
    lines = screen(Seen(finished=[result(7, "failed")]))
    assert any("failed" in line and "the disk is full" in line for line in lines)


def test_only_what_was_finished_lately_counts_as_throughput() -> None:
    old = result(1, ended="2025-12-31T00:00:00Z")
    assert "(2 in 10 min)" in "\n".join(screen(Seen(finished=[result(3), result(2), old])))
    assert "(2 or more in 10 min)" in "\n".join(screen(Seen(finished=[result(3), result(2)])))


def test_it_says_that_it_is_reconnecting_held_still_or_that_the_queue_is_paused() -> None:
    (head, *_) = screen(farm(paused=True), View(away="the master does not answer"), (120, 24))
    assert "the queue is paused" in head
    assert "reconnecting: the master does not answer" in head
    assert "held still" in screen(farm(), View(frozen=True))[0]
