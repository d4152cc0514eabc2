"""`depends_on` has a job wait for others, `GET /jobs?depends_on=` lists who does, and nonsense is refused."""

from __future__ import annotations

from typing import Any

import pytest

from common import problems
from common.documents.jobs import MOST_LISTED
from common.version import PROTOCOL
from tests.api.corner import Corner, got, refused, refused_fields
from tests.files.support import artifact, content, store
from tests.masters import Client, Master

JOB: dict[str, Any] = {"scenario": "720p-h264"}
NOBODY = "00000000-0000-4000-8000-000000000000"


def listed(client: Client, job_id: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = got(client.get("/jobs", params={"depends_on": job_id, **more}))
    return answer


def test_it_waits_says_for_whom_and_begins_when_they_are_completed(corner: Corner) -> None:
    node, first = corner.start()
    last = corner.submit(depends_on=[first["id"]])
    assert last["depends_on"] == [first["id"]]
    assert corner.job(last["id"])["pending_reason"] == f"waits for 1 of 1 job: {first['id']}"
    assert corner.poll(node["id"])["job"] is None
    got(corner.report(first))
    claimed = corner.poll(node["id"])["job"]
    assert (claimed["id"], claimed["depends_on"]) == (last["id"], [first["id"]])


def test_it_fails_with_them_and_has_a_result_that_says_so(corner: Corner) -> None:
    _, first = corner.start()
    last = corner.submit(depends_on=[first["id"]])
    corner.fail(first)
    found = corner.job(last["id"])
    assert (found["status"], found["error"]["code"]) == ("failed", "dependency_failed")
    assert "it broke (encoder_error)" in found["error"]["message"]
    assert got(corner.client.get(f"/jobs/{last['id']}/result"))["error"] == found["error"]
    body = refused(corner.client.post(f"/jobs/{last['id']}/retry"), problems.DEPENDENCY_FAILED)
    assert (body["job_id"], body["job_status"]) == (first["id"], "failed")


def test_what_another_job_made_is_read_by_its_hash(corner: Corner) -> None:
    node = corner.register({"Ffrtmp-Protocol": str(PROTOCOL)})
    corner.submit(output="files")
    first = corner.poll(node["id"])["job"]
    last = corner.submit(input=f"job:{first['id']}/a.mp4")
    assert (last["depends_on"], last["input"]) == ([first["id"]], f"job:{first['id']}/a.mp4")
    file = store(corner.client, content(1000, corner.labels))
    made = artifact(file, "a.mp4", "video", "video/mp4")
    got(corner.report(first, findings={"artifacts": [made]}))
    assert corner.poll(node["id"])["job"]["input"] == f"file:{file['sha256']}"


def test_who_waits_for_a_job_is_listed_by_status_and_in_pages(corner: Corner) -> None:
    first = corner.submit()["id"]
    ids = [corner.submit(depends_on=[first])["id"] for _ in range(3)]
    got(corner.client.post(f"/jobs/{ids[0]}/cancel"))
    found = listed(corner.client, first)
    assert ([each["id"] for each in found["jobs"]], found["count"]) == ([ids[1], ids[2], ids[0]], 3)
    assert [each["id"] for each in listed(corner.client, first, status="canceled")["jobs"]] == [ids[0]]
    page = listed(corner.client, first, limit=2)
    rest = listed(corner.client, first, limit=2, after=page["next"])
    assert [each["id"] for each in rest["jobs"]] == [ids[0]]
    assert listed(corner.client, ids[1])["jobs"] == []


def test_nobody_waits_for_what_is_no_job_and_nothing_is_no_id(client: Client) -> None:
    assert listed(client, NOBODY) == {"jobs": [], "count": 0, "next": None}
    assert refused_fields(client.get("/jobs", params={"depends_on": ""})) == ["depends_on"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("yes", "depends_on"),
        (None, "depends_on"),
        ({"a": 1}, "depends_on"),
        ([7], "depends_on.0"),
        (["../etc"], "depends_on.0"),
        (["#0"], "depends_on.0"),
        (["#-1"], "depends_on.0"),
        ([NOBODY] * 1001, "depends_on"),
    ],
)
def test_what_names_no_jobs_is_refused_and_queues_nothing(client: Client, wrong: Any, field: str) -> None:
    before = got(client.get("/jobs"))["count"]
    assert refused_fields(client.post("/jobs", json={**JOB, "depends_on": wrong})) == [field]
    assert got(client.get("/jobs"))["count"] == before


def test_a_job_that_is_not_there_or_has_failed_is_named(corner: Corner) -> None:
    refused(corner.client.post("/jobs", json={**JOB, "depends_on": [NOBODY]}), problems.UNKNOWN_JOB)
    gone = corner.submit()["id"]
    got(corner.client.post(f"/jobs/{gone}/cancel"))
    answer = corner.client.post("/jobs", json={**JOB, "depends_on": [gone]})
    assert refused(answer, problems.DEPENDENCY_FAILED)["job_id"] == gone


def test_in_a_batch_places_become_ids_and_later_ones_are_refused(corner: Corner) -> None:
    jobs = [JOB, {**JOB, "depends_on": ["#0"]}, {**JOB, "input": "job:#1/a.mp4", "depends_on": ["#0"]}]
    one, two, three = got(corner.client.post("/jobs/batch", json={"jobs": jobs}), 201)["jobs"]
    assert two["depends_on"] == [one["id"]]
    assert sorted(three["depends_on"]) == sorted([one["id"], two["id"]])
    assert three["input"] == f"job:{two['id']}/a.mp4"
    wrong = corner.client.post("/jobs/batch", json={"jobs": [{**JOB, "depends_on": ["#1"]}, JOB]})
    assert refused_fields(wrong) == ["depends_on"]
    assert "jobs.0" in wrong.json()["detail"]


def test_a_submitter_neither_names_nor_lists_what_is_not_its_own(master: Master, client: Client) -> None:
    theirs = got(client.post("/jobs", json=JOB), 201)["id"]
    token = got(client.post("/tokens", json={"role": "submitter", "name": "chains"}), 201)["token"]
    got(client.post("/jobs", json={**JOB, "depends_on": [theirs]}), 201)
    with master.client(token) as submitter:
        refused(submitter.post("/jobs", json={**JOB, "depends_on": [theirs]}), problems.FORBIDDEN)
        assert listed(submitter, theirs)["jobs"] == []
        own = got(submitter.post("/jobs", json=JOB), 201)["id"]
        waiting = got(submitter.post("/jobs", json={**JOB, "depends_on": [own]}), 201)["id"]
        assert [each["id"] for each in listed(submitter, own)["jobs"]] == [waiting]


def test_lists_stay_short_and_the_job_itself_names_all(corner: Corner) -> None:
    many = [{**JOB, "constraints": {"labels": corner.labels}}] * (MOST_LISTED + 1)
    ids = [each["id"] for each in got(corner.client.post("/jobs/batch", json={"jobs": many}), 201)["jobs"]]
    few, all_ = corner.submit(depends_on=ids[1:]), corner.submit(depends_on=ids)
    assert (few["depends_on"], all_["depends_on"]) == (ids[1:], None)
    found = {each["id"]: each["depends_on"] for each in listed(corner.client, ids[1])["jobs"]}
    assert found == {few["id"]: ids[1:], all_["id"]: None}
    assert corner.job(all_["id"])["depends_on"] == ids
