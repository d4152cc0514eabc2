"""`GET /jobs/{id}/logs` has what the agent sent, the newest lines, in order."""

from __future__ import annotations

from typing import Any

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import Client


def send(corner: Corner, claimed: dict[str, Any], lines: list[str]) -> None:
    sent = {"node_id": claimed["node_id"], "lease_id": claimed["lease_id"], "log": lines}
    got(corner.client.post(f"/jobs/{claimed['id']}/progress", json=sent))


def lines_of(corner: Corner, job_id: str) -> list[str]:
    answer = got(corner.client.get(f"/jobs/{job_id}/logs"))
    assert answer["job_id"] == job_id
    lines: list[str] = answer["lines"]
    return lines


def test_a_job_without_a_log_has_no_lines(corner: Corner) -> None:
    assert lines_of(corner, corner.submit()["id"]) == []


def test_lines_of_progress_and_result_are_kept_in_order(corner: Corner) -> None:
    _, claimed = corner.start()
    send(corner, claimed, ["one", "zwei ü 🎬"])
    send(corner, claimed, ["three"])
    got(corner.report(claimed, log=["done"]))
    assert lines_of(corner, claimed["id"]) == ["one", "zwei ü 🎬", "three", "done"]


def test_a_line_comes_back_as_one_line_whatever_is_in_it(corner: Corner) -> None:
    _, claimed = corner.start()
    odd = ["frame=1\rframe=2", "a\u2028b", "", "tab\tand \x1b[0m", " spaces "]
    send(corner, claimed, odd)
    assert lines_of(corner, claimed["id"]) == odd


def test_a_repeated_report_does_not_repeat_its_lines(corner: Corner) -> None:
    _, claimed = corner.start()
    for _ in range(2):
        got(corner.report(claimed, log=["done"]))
    assert lines_of(corner, claimed["id"]) == ["done"]


def test_a_stale_report_leaves_no_lines(corner: Corner) -> None:
    _, claimed = corner.start()
    refused(corner.report(claimed, lease_id="another", log=["false"]), problems.STALE_LEASE)
    assert lines_of(corner, claimed["id"]) == []


def test_a_long_log_is_bounded_to_its_newest_lines(corner: Corner) -> None:
    _, claimed = corner.start()
    for part in range(6):
        send(corner, claimed, [f"{part}-{n:04}{'.' * 100}" for n in range(2000)])
    lines = lines_of(corner, claimed["id"])
    assert 1000 < len(lines) < 12_000
    newest = [f"{part}-{n:04}{'.' * 100}" for part in range(6) for n in range(2000)][-len(lines) :]
    assert lines == newest


def test_an_unknown_job_has_no_log(client: Client) -> None:
    refused(client.get("/jobs/nothing/logs"), problems.UNKNOWN_JOB)
