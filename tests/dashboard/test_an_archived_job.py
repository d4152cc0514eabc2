"""The page of a job that has left the memory shows what is kept of it, and offers nothing that is gone."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import pytest

from common.version import PROTOCOL
from tests.api.corner import Corner, got
from tests.files.support import artifact, store
from tests.masters import Client, Master, start_master, wait_until


@pytest.fixture(scope="module")
def short_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """A master that archives what was finished three seconds ago."""
    running = start_master(tmp_path_factory.mktemp("archived") / "state", auth="required", retention="3s")
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


@pytest.fixture(scope="module")
def operator(short_memory: Master) -> Iterator[Client]:
    with short_memory.client(short_memory.token) as client:
        yield client


@pytest.fixture(scope="module")
def archived(operator: Client) -> dict[str, Any]:
    """A job that was lost once by an agent that gave it back, and then completed with two files."""
    corner = Corner(operator)
    node = corner.register({"Ffrtmp-Protocol": str(PROTOCOL)}, address="the-node")
    corner.submit(output="files", parameters={"duration": 7, "crf": 31})
    given_back = corner.poll(node["id"])["job"]
    told = {"node_id": node["id"], "lease_id": given_back["lease_id"]}
    assert operator.post(f"/jobs/{given_back['id']}/release", json=told).ok
    claimed = wait_until(lambda: corner.poll(node["id"])["job"], "the job is given out again")
    file = artifact(store(operator, b"not really a film"), "kept.mp4", "video", "video/mp4")
    left = {**artifact(file, "left.mp4", "video", "video/mp4"), "location": None}
    got(
        corner.report(
            claimed,
            metrics={"frames": 4321, "command": "ffmpeg -i that", "fps": None},
            findings={"artifacts": [file, left], "warnings": ["It was rather loud."]},
        )
    )
    wait_until(lambda: got(operator.get("/jobs"))["count"] == 0, "the memory is empty")
    return {"id": claimed["id"], "sha256": file["sha256"], "node": node["id"]}


def text_of(client: Client, archived: dict[str, Any], **headers: str) -> str:
    answer = client.get(f"/ui/jobs/{archived['id']}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["painted first", "asked again"])
def test_what_is_kept_is_shown(operator: Client, archived: dict[str, Any], headers: dict[str, str]) -> None:
    text = text_of(operator, archived, **headers)
    for kept in ("from the archive", "720p-h264", "<dt>crf</dt><dd>31</dd>", "<b>Completed</b>", "4,321"):
        assert kept in text
    for kept in ("Attempt 1 began", "Attempt 2 began", "ffmpeg -i that", "It was rather loud.", "left.mp4"):
        assert kept in text
    assert "<code>fps</code>" in text.split("Not known:")[1]


def test_its_files_are_linked_as_far_as_the_store_has_them(
    operator: Client, archived: dict[str, Any]
) -> None:
    text, address = text_of(operator, archived), f"/files/{archived['sha256']}"
    assert f'<a href="{address}" download>kept.mp4</a>' in text
    assert f'class="output" src="{address}"' in text
    assert operator.get(address).content == b"not really a film"


def test_its_node_is_called_by_its_name(operator: Client, archived: dict[str, Any]) -> None:
    assert f'href="/ui/nodes/{archived["node"]}" title="{archived["node"]}">the-node</a>' in text_of(
        operator, archived
    )


def test_what_is_gone_is_not_offered(operator: Client, archived: dict[str, Any]) -> None:
    text = text_of(operator, archived)
    assert "Its log went when the job was moved to the archive." in text
    for gone in ("data-follow", ">Retry<", ">Cancel", f'href="/jobs/{archived["id"]}'):
        assert gone not in text
    assert got(operator.get(f"/results/archive?job_id={archived['id']}"))["results"]


def test_its_result_is_compared_and_told_as_that_of_an_archived_one(
    operator: Client, archived: dict[str, Any]
) -> None:
    page = operator.get("/ui/compare", params={"ids": archived["id"]})
    assert page.status_code == 200, page.text
    assert f"/ui/jobs/{archived['id']}" in page.text
    assert ">archived<" in page.text
    assert "the-node" in page.text
    (_, row) = csv.reader(operator.get(f"/ui/compare.csv?ids={archived['id']}").text.splitlines())
    assert row[0] == archived["id"]
    assert "CRF 31" in row
    refused = operator.get("/ui/compare", params={"ids": f"{archived['id']} nowhere"})
    assert (refused.status_code, "nowhere" in refused.text) == (404, True)


def test_nobody_but_its_owner_and_who_sees_all_is_shown_it(
    short_memory: Master, operator: Client, archived: dict[str, Any]
) -> None:
    for role, status in (("submitter", 404), ("viewer", 200)):
        token = got(operator.post("/tokens", json={"role": role, "name": f"a-{role}"}), 201)["token"]
        with short_memory.client(token) as client:
            assert client.get(f"/ui/jobs/{archived['id']}").status_code == status
            assert client.get(f"/ui/compare?ids={archived['id']}").status_code == status
