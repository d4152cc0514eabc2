"""An idle farm is quiet, what people change is seen, and what went wrong can be looked up by its request."""

from __future__ import annotations

import json
import logging
import socket
from pathlib import Path
from typing import Any

import pytest

from common.model import Role
from common.request_ids import REQUEST_ID_HEADER
from master.api.request_ids import level_of
from tests.masters import Master, run_master, start_master, wait_until


@pytest.mark.parametrize(
    ("method", "status", "role", "level"),
    [
        ("GET", 200, Role.OPERATOR, logging.DEBUG),
        ("POST", 201, Role.OPERATOR, logging.INFO),
        ("POST", 201, Role.SUBMITTER, logging.INFO),
        ("POST", 409, Role.OPERATOR, logging.INFO),
        ("DELETE", 204, Role.OPERATOR, logging.INFO),
        ("POST", 200, Role.NODE, logging.DEBUG),
        ("POST", 201, Role.JOIN, logging.DEBUG),
        ("POST", 401, Role.ANYONE, logging.DEBUG),
    ],
)
def test_only_what_people_change_is_told_at_the_usual_level(
    method: str, status: int, role: Role, level: int
) -> None:
    assert level_of(method, status, role) == level


def logged(master: Master) -> list[dict[str, Any]]:
    """Everything that the master wrote: each line is a document."""
    return [json.loads(line) for line in master.log.read_text().splitlines()]


def started(tmp_path: Path, **flags: Any) -> Master:
    return start_master(tmp_path / "master", log_format="json", **flags)


def test_all_that_a_master_writes_is_json_from_its_start_to_its_end(tmp_path: Path) -> None:
    master = started(tmp_path, log_level="debug")
    master.stop()
    messages = [line["message"] for line in logged(master)]
    assert "Starting FFmpeg RTMP Distributed Master Node" in messages
    assert f"Master node listening on :{master.port}" in messages


def test_reading_leaves_no_line_and_a_change_leaves_one(tmp_path: Path) -> None:
    master = started(tmp_path)
    try:
        with master.client() as client:
            before = len(logged(master))
            for path in ("/health", "/jobs", "/nodes", "/jobs/none"):
                client.get(path)
            answer = client.post("/jobs", json={"scenario": "720p-h264"}, headers={REQUEST_ID_HEADER: "mine"})
            (line,) = wait_until(lambda: logged(master)[before:], "the change is logged")
    finally:
        master.stop()
    wanted = {"event": "request", "method": "POST", "route": "/jobs", "status": 201, "caller": "operator"}
    assert wanted.items() <= line.items()
    assert (line["request_id"], line["job_id"]) == ("mine", answer.json()["id"])
    assert 0 < line["duration_seconds"] < 60
    assert line["level"] == "info"


def test_at_debug_each_request_has_a_line_without_what_the_caller_wrote_into_the_address(
    tmp_path: Path,
) -> None:
    master = started(tmp_path, log_level="debug")
    try:
        with master.client() as client:
            client.get("/jobs/an-id-that-says-too-much?what=ever")
    finally:
        master.stop()
    assert "too-much" not in master.log.read_text()
    (line,) = [line for line in logged(master) if line.get("route") == "/jobs/<job_id>"]
    assert (line["status"], line["level"]) == (404, "debug")


def test_a_mistake_of_the_master_is_logged_with_the_id_that_its_caller_got(tmp_path: Path) -> None:
    master = started(tmp_path)
    try:
        with master.client() as client:
            job_id = client.post("/jobs", json={"scenario": "720p-h264"}).json()["id"]
            (master.state_dir / "logs" / job_id[:2] / f"{job_id}.log").mkdir(parents=True)
            answer = client.get(f"/jobs/{job_id}/logs")
    finally:
        master.stop()
    assert answer.status_code == 500
    (line,) = [line for line in logged(master) if line["level"] == "error"]
    assert line["request_id"] == answer.json()["request_id"]
    assert "Traceback" in line["exception"]


def test_why_a_master_cannot_start_is_json_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_master(
            f"--state-dir={tmp_path}", "--log-format=json", "--host=127.0.0.1", f"--port={port}"
        )
    assert done.returncode == 1
    (line,) = [json.loads(each) for each in done.stderr.splitlines()]
    assert line["level"] == "critical"
    assert "is in use by another program" in line["message"]
