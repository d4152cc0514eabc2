"""`GET /jobs` lists jobs by status and in pages, and a reader of all pages misses none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from common.version import PROTOCOL
from tests.api.corner import Corner, got, refused_fields
from tests.api.test_divisible_inputs import divisible
from tests.masters import Client


def pages(client: Client, between: Callable[[], None] = lambda: None, **query: Any) -> list[str]:
    """The ids on all pages; `between` is called after each."""
    ids: list[str] = []
    after: dict[str, str] = {}
    while True:
        answer = got(client.get("/jobs", params={**query, **after}))
        ids += [job["id"] for job in answer["jobs"]]
        if answer["next"] is None:
            return ids
        after = {"after": answer["next"]}
        between()


def test_the_list_has_jobs_count_and_next(corner: Corner) -> None:
    job = corner.submit()
    answer = got(corner.client.get("/jobs"))
    assert list(answer) == ["jobs", "count", "next"]
    assert answer["count"] == len(answer["jobs"])
    assert answer["next"] is None
    assert job["id"] in [each["id"] for each in answer["jobs"]]


def test_count_is_the_number_of_all_jobs_whatever_the_page(corner: Corner) -> None:
    corner.submit()
    corner.submit()
    answer = got(corner.client.get("/jobs", params={"limit": 1}))
    assert len(answer["jobs"]) == 1
    assert answer["count"] == got(corner.client.get("/jobs"))["count"] >= 2


def test_unfinished_jobs_come_first_oldest_first_then_the_finished_newest_first(corner: Corner) -> None:
    ids = [corner.submit()["id"] for _ in range(4)]
    for finished in ids[:2]:
        got(corner.client.post(f"/jobs/{finished}/cancel"))
    listed = [each for each in pages(corner.client) if each in ids]
    assert listed == [ids[2], ids[3], ids[1], ids[0]]


def test_a_status_shows_its_jobs_and_counts_them(corner: Corner) -> None:
    _, running = corner.start()
    pending = corner.submit()
    canceled = corner.submit()
    got(corner.client.post(f"/jobs/{canceled['id']}/cancel"))
    for job, status in ((running, "running"), (pending, "pending"), (canceled, "canceled")):
        answer = got(corner.client.get("/jobs", params={"status": status}))
        assert {each["status"] for each in answer["jobs"]} == {status}
        assert job["id"] in [each["id"] for each in answer["jobs"]]
        assert answer["count"] == len(answer["jobs"])


def test_every_job_is_seen_while_jobs_change_their_status_between_the_pages(corner: Corner) -> None:
    node = corner.register(max_concurrent_jobs=30)
    submitted = [corner.submit()["id"] for _ in range(30)]
    waiting = iter([submitted[n] for n in (29, 1, 28, 2, 27, 3, 26, 4)])

    def change() -> None:
        """The oldest is finished, one from either end is canceled, another one begins."""
        claimed = corner.poll(node["id"])
        if claimed["job"] is not None:
            got(corner.report(claimed["job"]))
        job_id = next(waiting, None)
        if job_id is not None and corner.job(job_id)["status"] == "pending":
            got(corner.client.post(f"/jobs/{job_id}/cancel"))
        corner.poll(node["id"])

    seen = pages(corner.client, change, limit=7)
    assert set(submitted) <= set(seen)
    assert {corner.job(job_id)["status"] for job_id in submitted} >= {"completed", "canceled", "running"}


def test_pages_of_one_status_have_all_its_jobs_once(corner: Corner) -> None:
    submitted = [corner.submit()["id"] for _ in range(15)]
    seen = [each for each in pages(corner.client, status="pending", limit=7) if each in submitted]
    assert seen == submitted


def test_the_parts_of_divided_jobs_are_left_out_if_asked_for(corner: Corner) -> None:
    root = corner.labels["corner"]
    node = corner.register({"Ffrtmp-Protocol": str(PROTOCOL)}, media_roots=[root])
    film = corner.submit(input=f"media:{root}/a.mp4", parameters={"split": 4, "crf": 23})["id"]
    got(corner.report(corner.poll(node["id"])["job"], findings={"divisible": divisible()}))
    parts = pages(corner.client, parent_id=film)
    assert len(parts) == 5
    whole = pages(corner.client, whole="1", limit=7)
    assert film in whole
    assert not set(parts) & set(whole)
    assert got(corner.client.get("/jobs", params={"whole": "1"}))["count"] == len(whole)
    assert set(parts) < set(pages(corner.client)) == set(pages(corner.client, whole="0"))
    assert pages(corner.client, parent_id=film, whole="1") == []
    got(corner.client.post(f"/jobs/{film}/cancel"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", "true"),
        ("whole", ""),
        ("status", "done"),
        ("status", ""),
        ("status", "PENDING"),
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "1.5"),
        ("limit", "nan"),
        ("limit", "many"),
        ("after", "yesterday"),
        ("after", "u-1"),
        ("after", "f" + "9" * 16),
        ("after", "u٣"),
        ("page", "2"),
    ],
)
def test_a_query_that_makes_no_sense_is_named(client: Client, name: str, value: str) -> None:
    assert refused_fields(client.get("/jobs", params={name: value})) == [name]


def test_a_parameter_given_twice_is_named(client: Client) -> None:
    assert refused_fields(client.get("/jobs?limit=1&limit=2")) == ["limit"]
