"""Each request has an id: the caller's if it is well-formed, else the master's; every answer has it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from common.address import Address
from common.client import ApiError, MasterClient, Trust
from common.request_ids import REQUEST_ID, REQUEST_ID_HEADER
from tests.masters import Client, Master, start_master
from tests.store.test_formats import FORMAT_1


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    running = start_master(tmp_path_factory.mktemp("ids") / "master")
    yield running
    running.stop()


def asked(client: Client, path: str, said: str | bytes | None = None) -> requests.Response:
    return client.get(path, headers={} if said is None else {REQUEST_ID_HEADER: said})


@pytest.mark.parametrize("path", ["/health", "/jobs", "/jobs/none", "/nothing"])
def test_a_well_formed_id_is_taken(client: Client, path: str) -> None:
    assert asked(client, path, "trace-7.of_mine").headers[REQUEST_ID_HEADER] == "trace-7.of_mine"


@pytest.mark.parametrize("said", [None, "", "-", "a b", "x" * 65, b"\xc3\xa9", "a,b", '"', "../x"])
def test_in_place_of_any_other_text_the_master_makes_one(client: Client, said: str | bytes | None) -> None:
    answered = asked(client, "/health", said).headers[REQUEST_ID_HEADER]
    assert REQUEST_ID.fullmatch(answered)
    assert answered != said
    assert answered != asked(client, "/health", said).headers[REQUEST_ID_HEADER]


def test_a_refusal_names_it(client: Client) -> None:
    answer = asked(client, "/jobs/none", "mine")
    assert answer.status_code == 404
    assert answer.json()["request_id"] == "mine"


def test_what_the_worker_refuses_itself_has_one_too(client: Client) -> None:
    answer = client.post("/jobs", data=b"x" * 20_000_000, headers={REQUEST_ID_HEADER: "mine"})
    assert answer.status_code == 413
    assert REQUEST_ID.fullmatch(answer.headers[REQUEST_ID_HEADER])
    assert answer.json()["request_id"] == answer.headers[REQUEST_ID_HEADER]


def test_a_body_that_breaks_off_is_refused_under_the_callers_id(client: Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(5000):
            yield b"x"

    answer = client.post("/jobs", data=chunks(), headers={REQUEST_ID_HEADER: "mine"})
    assert answer.status_code == 400
    assert (answer.headers[REQUEST_ID_HEADER], answer.json()["request_id"]) == ("mine", "mine")


def test_plain_http_is_answered_with_one(master: Master) -> None:
    answer = requests.get(f"http://localhost:{master.port}/health", allow_redirects=False, timeout=10)
    assert answer.status_code == 308
    assert answer.json()["request_id"] == answer.headers[REQUEST_ID_HEADER]


def test_the_job_keeps_the_id_of_the_request_that_submitted_it(client: Client) -> None:
    headers = {REQUEST_ID_HEADER: "first", "Idempotency-Key": "one job"}
    sent = {"scenario": "720p-h264"}
    job = client.post("/jobs", json=sent, headers=headers).json()
    assert job["request_id"] == "first"
    repeated = client.post("/jobs", json=sent, headers={**headers, REQUEST_ID_HEADER: "second"})
    assert repeated.headers[REQUEST_ID_HEADER] == "second"
    assert repeated.json()["request_id"] == client.get(f"/jobs/{job['id']}").json()["request_id"] == "first"


def test_the_rungs_of_a_ladder_are_of_the_same_request(client: Client) -> None:
    parameters = {"ladder": ["240p", "144p"], "duration": 1}
    job = client.post(
        "/jobs",
        json={"scenario": "720p-h264", "parameters": parameters},
        headers={REQUEST_ID_HEADER: "a-ladder"},
    ).json()
    assert job["request_id"] == "a-ladder"
    audit = client.get("/audit", params={"job_id": job["id"]}).json()["entries"]
    assert audit[0]["details"]["request_id"] == "a-ladder"


class Deaf(MasterClient):
    """Its first answers get lost on the way."""

    sent: list[str]

    def _send(self, *arguments: Any, **content: Any) -> requests.Response:
        self.sent.append(arguments[3][REQUEST_ID_HEADER])
        answer = super()._send(*arguments, **content)
        if len(self.sent) < 3:
            raise requests.ConnectionError("lost")
        return answer


def test_our_client_makes_one_for_each_call_and_keeps_it_when_it_sends_again(
    master: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.transport.RESEND_AFTER", (0, 0))
    client = Deaf(Address("localhost", master.port), Trust(master.ca, check_hostname=True))
    client.sent = []
    job = client.submit({"scenario": "720p-h264"})
    client.job(job["id"])
    assert client.sent[:3] == [job["request_id"]] * 3
    assert client.sent[3] != job["request_id"]


def test_our_client_knows_the_id_of_what_was_refused(master: Master) -> None:
    client = MasterClient(Address("localhost", master.port), Trust(master.ca, check_hostname=True))
    with pytest.raises(ApiError) as refused:
        client.job("none")
    assert refused.value.request_id == refused.value.problem["request_id"]


def test_a_job_of_a_time_before_request_ids_has_none(tmp_path: Path) -> None:
    """What lies in FORMAT_1 was written by the first version."""
    shutil.copytree(FORMAT_1 / "journal", tmp_path / "master" / "journal")
    master = start_master(tmp_path / "master")
    try:
        with master.client() as client:
            jobs = client.get("/jobs").json()["jobs"]
            assert jobs
            assert {job["request_id"] for job in jobs} == {None}
    finally:
        master.stop()
