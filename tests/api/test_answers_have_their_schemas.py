"""What the master answers has all the fields of its schema and no other, whatever stage a job is in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from master.api.described import description_of
from master.app import create_app
from tests.api.corner import Corner, got
from tests.api.routes import is_page
from tests.files.support import artifact, begin, content, finish_with, store
from tests.masters import Client, wait_until

_UNUSED: Any = None
APP = create_app(_UNUSED, _UNUSED, _UNUSED)  # nobody calls it
ADDRESSES = APP.url_map.bind("localhost")


@pytest.fixture
def checked(client: Client) -> Iterator[set[str]]:
    """Compares every answer with its description; the endpoints that were seen."""
    seen: set[str] = set()

    def compare(answer: requests.Response, *_: Any, **__: Any) -> None:
        path = urlsplit(answer.url).path
        endpoint, _arguments = ADDRESSES.match(path, answer.request.method)
        described = description_of(APP.view_functions[endpoint])
        assert described is not None
        if answer.ok:
            assert answer.status_code == described.status
            if described.answers is not None:
                assert described.answers().validate(answer.json()) == {}, (endpoint, answer.text)
            seen.add(endpoint)

    client.hooks["response"].append(compare)
    yield seen
    client.hooks["response"].remove(compare)


# Pages, what Prometheus reads, and a stream: each has tests of its own.
_NO_JSON = ("docs.page", "docs.asset", "metrics.scrape", "events.stream")


def test_through_the_life_of_jobs_and_nodes(checked: set[str], corner: Corner) -> None:
    client = corner.client
    node = corner.register(
        type="server",
        cpu_threads=4,
        encoders=["libx264", "libx265"],
        max_concurrent_jobs=9,
        credential=f"of-the-node-{corner.labels['corner']}",
    )
    assert corner.poll(node["id"]) == {"job": None}
    jobs = [corner.submit(parameters={"bitrate": "5000k", "gop": 50}) for _ in range(3)]
    got(client.post("/jobs/batch", json={"jobs": [{"scenario": "720p-h264"}]}), 201)
    first, second = (corner.poll(node["id"])["job"] for _ in range(2))
    lease = {"node_id": node["id"], "lease_id": first["lease_id"]}
    got(client.post(f"/jobs/{first['id']}/progress", json={**lease, "frame": 9, "fps": 2.5, "log": ["x"]}))
    look(client, first["id"], node["id"])
    got(client.post(f"/nodes/{node['id']}/heartbeat"))
    got(corner.report(first, metrics={"frames": 300, "codec": "h264", "mine": True}))
    corner.fail(second)
    for job in (first, second):
        look(client, job["id"], node["id"])
        got(client.get(f"/jobs/{job['id']}/result"))
    got(client.post(f"/jobs/{second['id']}/retry"), 201)
    third = corner.poll(node["id"])["job"]
    got(client.post(f"/jobs/{third['id']}/release", json={"node_id": node["id"]}))
    for verb in ("pause", "resume", "cancel"):
        got(client.post(f"/jobs/{jobs[2]['id']}/{verb}"))
    for verb in ("approve", "drain", "resume"):
        got(client.post(f"/nodes/{node['id']}/{verb}"))
    for path in (
        "/health",
        "/scenarios",
        "/queue",
        "/status",
        "/results",
        "/results/archive",
        "/openapi.json",
    ):
        got(client.get(path))
    got(client.post("/queue/pause"))
    got(client.post("/queue/resume"))
    got(client.get("/audit", params={"node_id": node["id"]}))
    _take_several(Corner(client))
    _use_files(corner)
    token = got(client.post("/tokens", json={"role": "join"}), 201)
    got(client.get("/tokens"))
    assert client.delete(f"/tokens/{token['id']}").ok
    _use_webhooks(client)
    got(client.post(f"/nodes/{node['id']}/credential", json={"credential": "n" * 43 + node["id"]}))
    got(client.post(f"/nodes/{node['id']}/revoke"))
    assert client.post(f"/nodes/{node['id']}/leave").ok
    assert client.delete(f"/nodes/{node['id']}").ok
    assert checked == {
        endpoint for endpoint in APP.view_functions if endpoint not in _NO_JSON and not is_page(endpoint)
    }


def _take_several(corner: Corner) -> None:
    """Several jobs at once: polled, with the answer to a report, and reported."""
    node = corner.register(max_concurrent_jobs=9)
    for _ in range(3):
        corner.submit()
    first, second = corner.poll(node["id"], max=2)["jobs"]
    third = got(corner.report(first, query={"next": "1"}))["next"]
    assert got(corner.report(second, query={"next": "1"}))["next"] is None
    reports = [corner.reported(third), corner.reported(first, lease_id="another")]
    got(corner.client.post("/results/batch", json={"reports": reports}))


def _use_files(corner: Corner) -> None:
    client, data = corner.client, content(1000, corner.labels)
    begun = begin(client, data)
    got(client.get(f"/files/uploads/{begun['id']}"))
    assert client.delete(f"/files/uploads/{begun['id']}").ok
    file = store(client, data, name="a.mp4", media_type="video/mp4")
    got(client.get("/files"))
    assert client.get(f"/files/{file['sha256']}").content == data
    corner.submit()
    claimed = corner.poll(corner.register()["id"])["job"]
    finish_with(corner, claimed, artifact(file, "a.mp4", "video", "video/mp4"))
    assert client.get(f"/jobs/{claimed['id']}/artifacts/a.mp4").content == data
    assert client.delete(f"/files/{file['sha256']}").ok


def _use_webhooks(client: Client) -> None:
    webhook = got(
        client.post("/webhooks", json={"url": "https://hooks.invalid/", "events": ["job_failed"]}), 201
    )
    path = f"/webhooks/{webhook['id']}"
    for verb in ("pause", "resume", "rotate"):
        got(client.post(f"{path}/{verb}"))
    got(client.post(f"{path}/replay", json={"since_seq": 1}), 202)
    asked = got(client.post(f"{path}/test"), 202)
    wait_until(
        lambda: (
            asked["message_id"]
            in {each["message_id"] for each in got(client.get(f"{path}/deliveries"))["deliveries"]}
        ),
        "the test was sent",
    )
    got(client.get(path))
    got(client.get("/webhooks"))
    assert client.delete(path).ok


def look(client: Client, job_id: str, node_id: str) -> None:
    for path in ("/jobs", f"/jobs/{job_id}", f"/jobs/{job_id}/logs", "/nodes", f"/nodes/{node_id}"):
        got(client.get(path))
