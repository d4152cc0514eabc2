"""`GET /jobs/{id}/result` and `GET /results` show what came of finished jobs."""

from __future__ import annotations

import pytest

from common import problems
from common.version import PROTOCOL
from tests.api.corner import TIMESTAMP, Corner, got, refused, refused_fields
from tests.api.test_divisible_inputs import divisible
from tests.masters import Client


def test_a_result_says_what_was_measured_and_how(corner: Corner) -> None:
    node, claimed = corner.start()
    got(corner.report(claimed, metrics={"frames": 300, "cpu_seconds": None, "my_own": 1}))
    result = got(corner.client.get(f"/jobs/{claimed['id']}/result"))
    assert (result["job_id"], result["node_id"], result["attempt"]) == (claimed["id"], node["id"], 1)
    assert (result["scenario"], result["status"], result["error"]) == ("720p-h264", "completed", None)
    assert TIMESTAMP.fullmatch(result["completed_at"])
    assert result["metrics"] == {"frames": 300, "cpu_seconds": None, "my_own": 1}
    assert set(result["sources"]) == {"frames", "cpu_seconds"}


def test_the_result_of_a_failed_job_says_why(corner: Corner) -> None:
    _, claimed = corner.start()
    corner.fail(claimed)
    result = got(corner.client.get(f"/jobs/{claimed['id']}/result"))
    assert (result["status"], result["error"]["message"]) == ("failed", "it broke")


@pytest.mark.parametrize("running", [True, False])
def test_an_unfinished_job_has_no_result_yet(corner: Corner, running: bool) -> None:
    job = corner.start()[1] if running else corner.submit()
    problem = refused(corner.client.get(f"/jobs/{job['id']}/result"), problems.NO_RESULT)
    assert problem["job_status"] == ("running" if running else "pending")


def test_an_unknown_job_has_no_result(client: Client) -> None:
    refused(client.get("/jobs/nothing/result"), problems.UNKNOWN_JOB)


def test_results_are_listed_newest_first_without_canceled_jobs(corner: Corner) -> None:
    node = corner.register()
    finished = []
    for n in range(3):
        job = corner.submit()
        claimed = corner.poll(node["id"])["job"]
        if n == 1:
            corner.fail(claimed)
        else:
            got(corner.report(claimed, metrics={"frames": n}))
        finished.append(job["id"])
    canceled = corner.submit()["id"]
    got(corner.client.post(f"/jobs/{canceled}/cancel"))
    answer = got(corner.client.get("/results"))
    assert list(answer) == ["results", "count", "next"]
    assert answer["count"] == len(answer["results"])
    listed = [result["job_id"] for result in answer["results"]]
    assert listed[:3] == finished[::-1]
    assert canceled not in listed
    assert answer["results"][0] == got(corner.client.get(f"/jobs/{finished[2]}/result"))


def test_results_come_in_pages(corner: Corner) -> None:
    node = corner.register()
    for _ in range(3):
        corner.submit()
        got(corner.report(corner.poll(node["id"])["job"]))
    whole = [result["job_id"] for result in got(corner.client.get("/results"))["results"]]
    paged: list[str] = []
    query: dict[str, str] | None = {"limit": "2"}
    while query is not None:
        answer = got(corner.client.get("/results", params=query))
        paged += [result["job_id"] for result in answer["results"]]
        query = None if answer["next"] is None else {"limit": "2", "after": answer["next"]}
    assert paged == whole


def test_results_of_the_parts_of_divided_jobs_are_left_out_if_asked_for(corner: Corner) -> None:
    root = corner.labels["corner"]
    node = corner.register({"Ffrtmp-Protocol": str(PROTOCOL)}, media_roots=[root], max_concurrent_jobs=8)
    film = corner.submit(input=f"media:{root}/a.mp4", parameters={"split": 2, "crf": 23})["id"]
    got(corner.report(corner.poll(node["id"])["job"], findings={"divisible": divisible()}))
    parts = []
    while (claimed := corner.poll(node["id"])["job"])["stage"] != "join":
        parts.append(claimed["id"])
        got(corner.report(claimed))
    got(corner.report(claimed))
    assert len(parts) == 3
    every = got(corner.client.get("/results"))
    assert {*parts, film} <= {result["job_id"] for result in every["results"]}
    whole = got(corner.client.get("/results", params={"whole": "1"}))
    ids = {result["job_id"] for result in whole["results"]}
    assert film in ids
    assert not set(parts) & ids
    assert whole["count"] == len(ids)


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "0"), ("after", "x"), ("status", "failed"), ("whole", "yes")]
)
def test_a_query_that_makes_no_sense_is_named(client: Client, name: str, value: str) -> None:
    assert refused_fields(client.get("/results", params={name: value})) == [name]
