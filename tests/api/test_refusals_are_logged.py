"""Whoever is refused (401, 403) is in the master's log, with the route and not with what was sent."""

from __future__ import annotations

from pathlib import Path

from common import problems
from tests.api.corner import refused
from tests.masters import start_master


def test_route_and_address_are_logged_and_nothing_that_was_sent(tmp_path: Path) -> None:
    master = start_master(tmp_path / "master", auth="required")
    try:
        with master.client("a-wrong-secret-of-32-characters-or-more") as client:
            refused(client.get("/jobs/an-id-that-says-too-much"), problems.UNAUTHENTICATED)
            refused(client.post("/queue/pause"), problems.UNAUTHENTICATED)
    finally:
        master.stop()
    log = master.log.read_text()
    assert "refused GET /jobs/<job_id> from 127.0.0.1: unauthenticated [request " in log
    assert "refused POST /queue/pause from 127.0.0.1: unauthenticated [request " in log
    assert "secret" not in log
    assert "too-much" not in log
