"""A route that answers JSON answers the same past Flask as it does by Flask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from master.api.routes import Route
from master.app import create_app
from master.auth import Gate
from master.hosts import Hosts
from tests.core.support import FakeClock, make_farm, submit

SECRET = "s" * 43
KNOWN = {"Authorization": f"Bearer {SECRET}"}
OF_THE_ANSWER = {"X-Request-Id", "Date"}
JOB = json.dumps({"scenario": "720p-h264"})
REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "an answer": ("GET", "/health", {}),
    "a head": ("HEAD", "/health", {"headers": KNOWN}),
    "a list": ("GET", "/jobs?limit=1", {"headers": KNOWN}),
    "a query that is wrong": ("GET", "/jobs?limit=1&limit=2", {"headers": KNOWN}),
    "an id that nobody knows": ("GET", "/jobs/unknown", {"headers": KNOWN}),
    "a caller that nobody knows": ("GET", "/jobs", {}),
    "a wrong credential": ("GET", "/jobs", {"headers": {"Authorization": "Bearer wrong"}}),
    "a strange name": ("GET", "/health", {"headers": {"Host": "evil.example"}}),
    "another site": ("GET", "/queue", {"headers": {**KNOWN, "Sec-Fetch-Site": "cross-site"}}),
    "another protocol": ("GET", "/queue", {"headers": {**KNOWN, "X-Ffrtmp-Protocol": "many"}}),
    "no JSON": ("POST", "/jobs", {"headers": KNOWN, "data": "{", "content_type": "application/json"}),
    "another kind of body": ("POST", "/jobs", {"headers": KNOWN, "data": JOB, "content_type": "text/plain"}),
    "a body that is too long": (
        "POST", "/jobs", {"headers": KNOWN, "data": " " * 100_000, "content_type": "application/json"},
    ),
    "another method": ("PUT", "/health", {"headers": KNOWN}),
    "which methods there are": ("OPTIONS", "/health", {"headers": KNOWN}),
    "an address that is none": ("GET", "/nothing", {"headers": KNOWN}),
}  # fmt: skip


def said(answer: TestResponse) -> tuple[int, list[tuple[str, str]], object]:
    """All but what is another in each answer."""
    headers = sorted(each for each in answer.headers if each[0] not in OF_THE_ANSWER)
    document = json.loads(answer.data) if answer.data else None
    if isinstance(document, dict):
        document.pop("request_id", None)
    return answer.status_code, headers, document


@pytest.mark.parametrize("name", REQUESTS)
def test_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    farm = make_farm(tmp_path, FakeClock())
    submit(farm)
    app = create_app(farm, Gate(farm.store, SECRET, farm.clock, local_door=False), Hosts({"localhost"}))
    method, path, more = REQUESTS[name]
    directly = said(app.test_client().open(path, method=method, **more))
    monkeypatch.setattr(Route, "direct", False)
    assert said(app.test_client().open(path, method=method, **more)) == directly
