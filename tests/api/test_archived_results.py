"""`GET /results/archive` shows what came of jobs that are older than `--retention`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from common import problems
from common.documents import FullJobSchema, ResultSchema, ResultsSchema
from master.store import blocks
from master.store.archive import complete
from tests.api.corner import Corner, got, refused, refused_fields
from tests.masters import Client, Master, start_master, wait_until


@pytest.fixture(scope="module")
def short_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """A master that archives what was finished three seconds ago."""
    running = start_master(tmp_path_factory.mktemp("archive") / "state", retention="3s")
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


@pytest.fixture
def operator(short_memory: Master) -> Iterator[Client]:
    with short_memory.client() as client:
        yield client


@pytest.fixture(scope="module")
def archived(short_memory: Master) -> list[dict[str, Any]]:
    """The results of three archived jobs as they were before, the newest first."""
    results = []
    with short_memory.client() as client:
        corner = Corner(client)
        node = corner.register()
        for n in range(3):
            corner.submit()
            claimed = corner.poll(node["id"])["job"]
            if n == 1:
                corner.fail(claimed)
            else:
                got(corner.report(claimed, metrics={"frames": n}))
            results.append(got(client.get(f"/jobs/{claimed['id']}/result")))
        wait_until(lambda: got(client.get("/jobs"))["count"] == 0, "the memory is empty")
    return results[::-1]


def test_they_are_listed_newest_first_as_they_were(operator: Client, archived: list[dict[str, Any]]) -> None:
    assert got(operator.get("/results/archive")) == {"results": archived, "count": None, "next": None}
    assert got(operator.get("/results"))["results"] == []


def test_whole_jobs_are_in_it_where_only_these_are_asked_for(
    operator: Client, archived: list[dict[str, Any]]
) -> None:
    assert got(operator.get("/results/archive", params={"whole": "1"}))["results"] == archived


def test_they_come_in_pages(operator: Client, archived: list[dict[str, Any]]) -> None:
    first = got(operator.get("/results/archive", params={"limit": "2"}))
    assert first["results"] == archived[:2]
    second = got(operator.get("/results/archive", params={"limit": "2", "after": first["next"]}))
    assert (second["results"], second["next"]) == (archived[2:], None)


def test_one_is_found_by_its_jobs_id(operator: Client, archived: list[dict[str, Any]]) -> None:
    for result in archived:
        found = got(operator.get("/results/archive", params={"job_id": result["job_id"]}))
        assert found["results"] == [result]
    assert got(operator.get("/results/archive", params={"job_id": "nothing"}))["results"] == []


def test_the_job_itself_is_unknown_and_the_refusal_tells_of_the_archive(
    operator: Client, archived: list[dict[str, Any]]
) -> None:
    for path in ("", "/result", "/logs"):
        answer = operator.get(f"/jobs/{archived[0]['job_id']}{path}")
        assert "ffrtmp results --archive" in refused(answer, problems.UNKNOWN_JOB)["detail"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("after", "f7"),
        ("after", "2026-11-24.0"),
        ("after", "2026-13-24.0.0"),
        ("after", "2026-11-24.-1.0"),
        ("job_id", ""),
        ("status", "failed"),
    ],
)
def test_a_query_that_makes_no_sense_is_named(operator: Client, name: str, value: str) -> None:
    assert refused_fields(operator.get("/results/archive", params={name: value})) == [name]


def test_a_place_inside_of_a_block_is_no_place(operator: Client, archived: list[dict[str, Any]]) -> None:
    place = got(operator.get("/results/archive", params={"limit": "1"}))["next"]
    day, offset, line = place.split(".")
    after = f"{day}.{int(offset) + 1}.{line}"
    assert refused_fields(operator.get("/results/archive", params={"after": after})) == ["after"]


def test_what_an_earlier_version_archived_is_answered_as_what_is_archived_today(
    short_memory: Master, operator: Client, archived: list[dict[str, Any]]
) -> None:
    directory = short_memory.state_dir / "archive"
    lines = gzip.decompress(next(directory.glob("*.jsonl.gz")).read_bytes()).splitlines()
    entry = json.loads(lines[0])
    for name in ("input", "output", "parent_id", "part", "stage", "owner"):
        del entry["job"][name]
    for name in ("artifacts", "repeats", "probes", "warnings"):
        del entry["result"][name]
    entry["job"]["id"] = entry["result"]["job_id"] = "old"
    path = directory / "2001-01-01.jsonl.gz"
    path.write_bytes(blocks.pack(blocks.line(entry)))
    try:
        by_id = got(operator.get("/results/archive", params={"job_id": "old"}))
        assert by_id["results"] == [{**archived[-1], "job_id": "old"}]
        page = got(operator.get("/results/archive"))
        assert page["results"] == [*archived, *by_id["results"]]
        assert ResultsSchema().validate(page) == {}
    finally:
        path.unlink()


def test_every_entry_has_what_answers_have_today() -> None:
    whole = complete({"job": {}, "result": {}})
    before = {"id", "scenario", "confidence", "parameters", "status", "created_at", "retry_count", "priority"}
    before |= {"constraints", "max_attempts", "retry_of", "node_id", "started_at", "finished_at"}
    before |= {"pending_reason", "progress", "error", "attempts", "lease_expires_in"}
    assert set(FullJobSchema().fields) - before == set(whole["job"])
    before = {"job_id", "node_id", "scenario", "status", "attempt", "completed_at", "metrics"}
    before |= {"analyzer_output", "sources", "error"}
    assert set(ResultSchema().fields) - before == set(whole["result"])


def test_a_damaged_archive_is_named(short_memory: Master, operator: Client) -> None:
    path = short_memory.state_dir / "archive" / "2001-01-01.jsonl.gz"
    path.write_bytes(b"damaged")
    try:
        answer = operator.get("/results/archive", params={"job_id": "nothing"})
        assert str(path) in refused(answer, problems.INTERNAL)["detail"]
    finally:
        path.unlink()
