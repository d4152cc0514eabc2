"""`ffrtmp` lists whole jobs, their parts where they run or are asked for, and counts a part once."""

from __future__ import annotations

from typing import Any

from common.version import PROTOCOL
from tests.api.corner import Corner, got
from tests.api.test_divisible_inputs import divisible
from tests.operator.conftest import Ffrtmp


class Film:
    """A file in two chunks, one completed, the other run twice; and nodes that do it."""

    def __init__(self, corner: Corner) -> None:
        self.corner = corner
        root = corner.labels["corner"]
        speaks = {"Ffrtmp-Protocol": str(PROTOCOL)}
        self.fast, slow = (corner.register(speaks, media_roots=[root])["id"] for _ in range(2))
        asked = {"split": 2, "crf": 23}
        self.id = corner.submit(input=f"media:{root}/a.mp4", parameters=asked)["id"]
        found = {**divisible(), "others": False}
        got(corner.report(self.poll(self.fast), findings={"divisible": found}))
        quick, self.first = self.poll(self.fast), self.poll(slow)
        got(corner.report(quick))
        how = {"node_id": slow, "lease_id": self.first["lease_id"], "seconds_left": 500.0}
        got(corner.client.post(f"/jobs/{self.first['id']}/progress", json=how))
        self.twin = self.poll(self.fast)
        assert self.twin["id"] != self.first["id"]
        self.quick = quick["id"]

    def poll(self, node_id: str) -> dict[str, Any]:
        claimed: dict[str, Any] = self.corner.poll(node_id)["job"]
        return claimed

    def ends(self) -> None:
        got(self.corner.report(self.twin))
        got(self.corner.report(self.poll(self.fast)))


def ids(ffrtmp: Ffrtmp, *arguments: str) -> set[str]:
    return set(ffrtmp("-q", *arguments, "--limit", "1000").stdout.split())


def test_parts_are_listed_where_they_are_asked_for_or_run(ffrtmp: Ffrtmp, corner: Corner) -> None:
    film = Film(corner)
    parts = {film.quick, film.first["id"], film.twin["id"]}
    assert {film.id} == ids(ffrtmp, "jobs", "list") & {film.id, *parts}
    assert {film.id, *parts} <= ids(ffrtmp, "jobs", "list", "--parts")
    assert film.quick not in ids(ffrtmp, "jobs", "list", "--status", "completed")
    assert film.quick in ids(ffrtmp, "jobs", "list", "--status", "completed", "--parts")
    assert {film.first["id"], film.twin["id"]} <= ids(ffrtmp, "jobs", "list", "--status", "running")
    assert "; of their parts: " in ffrtmp("status").stdout
    film.ends()
    assert {film.id} == ids(ffrtmp, "results") & {film.id, *parts}
    assert {film.id, film.quick, film.twin["id"]} <= ids(ffrtmp, "results", "--parts")


def test_a_part_that_is_run_twice_has_two_rows_and_counts_once(ffrtmp: Ffrtmp, corner: Corner) -> None:
    film = Film(corner)
    assert "parts: 1 of 2 completed" in ffrtmp("jobs", "show", film.id).stdout.splitlines()
    film.ends()
    shown = ffrtmp("jobs", "show", film.id).stdout.splitlines()
    assert "parts: 2 of 2 completed" in shown
    assert sum(" (twin) " in line for line in shown) == 1
    listed = ffrtmp.json("jobs", "show", film.id)["parts"]
    assert [each["twin_of"] for each in listed if each["twin_of"]] == [film.first["id"]]
