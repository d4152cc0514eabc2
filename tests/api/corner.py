"""A corner of the farm that one test has for itself, and how its answers are checked."""

from __future__ import annotations

import re
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import requests

from common import problems
from common.problems import ProblemType
from tests.masters import Client, Master, wait_until

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def refused(answer: requests.Response, type_: ProblemType) -> dict[str, Any]:
    """The body of a refusal of this type, in the one shape that all have."""
    assert answer.status_code == type_.status, answer.text
    assert answer.headers["Content-Type"] == problems.MEDIA_TYPE
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:ffrtmp:problem:{type_.slug}", answer.text
    assert body["title"] == type_.title
    assert body["status"] == type_.status
    assert body["detail"]
    return body


def refused_fields(answer: requests.Response, type_: ProblemType = problems.INVALID) -> list[str]:
    """The fields that a refusal names."""
    body = refused(answer, type_)
    fields = [error["field"] for error in body["errors"]]
    assert fields
    assert fields[0] in body["detail"]
    return fields


def got(answer: requests.Response, status: int = 200) -> Any:
    """The JSON of an answer that is no refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


class Corner:
    """Nodes and jobs that meet each other only: the nodes take just what names their label."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.labels = {"corner": str(uuid.uuid4())}
        self._nodes: list[str] = []
        self._jobs: list[str] = []

    def register(self, headers: Any = None, **fields: Any) -> dict[str, Any]:
        sent = {"address": "worker-01", "labels": self.labels, "run_unlabeled": False, **fields}
        node: dict[str, Any] = got(self.client.post("/nodes/register", json=sent, headers=headers), 201)
        self._nodes.append(node["id"])
        return node

    def submit(self, scenario: str = "720p-h264", **fields: Any) -> dict[str, Any]:
        sent = {"scenario": scenario, "constraints": {"labels": self.labels}, **fields}
        job: dict[str, Any] = got(self.client.post("/jobs", json=sent), 201)
        self._jobs.append(job["id"])
        return job

    def sweep(self) -> None:
        """End its jobs, if they have not ended, and remove its nodes, if they are there."""
        for job_id in self._jobs:
            self.client.post(f"/jobs/{job_id}/cancel")
        for node_id in self._nodes:
            self.client.delete(f"/nodes/{node_id}")

    def poll(self, node_id: str, **query: Any) -> dict[str, Any]:
        answer: dict[str, Any] = got(self.client.get("/jobs/next", params={"node_id": node_id, **query}))
        return answer

    def start(self, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A node, and a job that runs on it."""
        node = self.register()
        job = self.submit(**fields)
        claimed = self.poll(node["id"])
        assert claimed["job"]["id"] == job["id"]
        return node, claimed["job"]

    def reported(self, claimed: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """The report of the attempt that a claim began."""
        return {
            "job_id": claimed["id"],
            "node_id": claimed["node_id"],
            "lease_id": claimed["lease_id"],
            "attempt": claimed["attempt"],
            "status": "completed",
            **fields,
        }

    def report(
        self, claimed: dict[str, Any], query: dict[str, str] | None = None, **fields: Any
    ) -> requests.Response:
        """Send it."""
        return self.client.post("/results", json=self.reported(claimed, **fields), params=query)

    def fail(self, claimed: dict[str, Any], code: str = "encoder_error") -> None:
        error = {"code": code, "message": "it broke"}
        got(self.report(claimed, status="failed", error=error))

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = got(self.client.get(f"/jobs/{job_id}"))
        return job

    def node(self, node_id: str) -> dict[str, Any]:
        node: dict[str, Any] = got(self.client.get(f"/nodes/{node_id}"))
        return node


def park(
    master: Master, corner: Corner, pool: ThreadPoolExecutor, node: dict[str, Any]
) -> Future[tuple[requests.Response, float]]:
    """A poll that is parked by now; in the end its answer, and when it came.

    The poll is a sign of life, given after it is parked: `last_heartbeat` tells of it.
    """

    def poll() -> tuple[requests.Response, float]:
        with master.client() as client:
            answer = client.get("/jobs/next", params={"node_id": node["id"], "wait": "20s"})
            return answer, time.monotonic()

    before = corner.node(node["id"])["last_heartbeat"]
    wait_until(lambda: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}" > before, "the next second begins")
    answer = pool.submit(poll)
    wait_until(lambda: corner.node(node["id"])["last_heartbeat"] > before, "the poll is parked")
    return answer


def everything(client: Client) -> Any:
    """All jobs and nodes, without the one number that time alone changes."""
    jobs = got(client.get("/jobs"))["jobs"]
    for job in jobs:
        job.pop("lease_expires_in", None)
    return jobs, got(client.get("/nodes"))["nodes"]


def kept(client: Client) -> Any:
    """All that the master keeps, but for when it heard or used something last, and what goes on with time."""
    jobs = [got(client.get(f"/jobs/{job['id']}")) for job in got(client.get("/jobs"))["jobs"]]
    nodes = got(client.get("/nodes"))["nodes"]
    for document in [*jobs, *nodes]:
        document.pop("lease_expires_in", None)
        document.pop("last_heartbeat", None)
        document.pop("credential_expires_at", None)
        document.pop("pending_reason", None)  # it may count the seconds of a backoff
        for estimate in ("percent", "seconds_left"):  # they go on with time, until the agent says more
            (document.get("progress") or {}).pop(estimate, None)
    files = got(client.get("/files"))["files"]
    for file in files:
        del file["used_at"]
    logs = [got(client.get(f"/jobs/{job['id']}/logs")) for job in jobs]
    return (
        jobs,
        nodes,
        got(client.get("/results")),
        logs,
        got(client.get("/queue")),
        got(client.get("/tokens")),
        [_made(webhook) for webhook in got(client.get("/webhooks"))["webhooks"]],
        files,
    )


def _made(webhook: dict[str, Any]) -> dict[str, Any]:
    """A webhook without how far it is."""
    return {name: webhook[name] for name in ("id", "url", "events", "status", "reason", "replaced_until")}
