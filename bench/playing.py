"""Scripts that play submitters and agents, for the load generator of `bench.load`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bench.apps import JOB
from bench.load import RefusedError, Script, client_context, connect, drive, parsed, request
from bench.rig import NotThereError
from bench.servers import Server

TOGETHER = 100
"""Jobs in a batch."""
METRICS = {
    "frames": 600, "duration": 10.0, "fps": 77.0, "speed": 2.57, "bitrate": 5_011_912.8,
    "output_bytes": 6_264_891, "cpu_seconds": 15.1, "peak_memory_bytes": 212_654_336,
    "wall_seconds": 7.8, "codec": "h264", "runs": 1,
}  # fmt: skip
"""Of a job's result."""


@dataclass(frozen=True, slots=True)
class Played:
    """A node that is played."""

    id: str
    credential: str

    def poll(self, query: str = "") -> bytes:
        """Its question for a job."""
        return request("GET", f"/jobs/next?node_id={self.id}{query}", token=self.credential)

    def report(self, job: dict[str, Any]) -> dict[str, Any]:
        """That it has completed a job."""
        return {
            "job_id": job["id"],
            "node_id": self.id,
            "lease_id": job["lease_id"],
            "attempt": job["attempt"],
            "status": "completed",
            "metrics": METRICS,
        }


def nodes(server: Server, count: int, slots: int = TOGETHER, **more: Any) -> list[Played]:
    """As many new nodes of a master. `more`: what else they say of themselves."""
    made = [Played(str(uuid4()), uuid4().hex + uuid4().hex) for _ in range(count)]

    def registered() -> Script:
        for node in made:
            sent = {"id": node.id, "address": f"bench-{node.id[:8]}", "credential": node.credential}
            body = json.dumps({**sent, "max_concurrent_jobs": slots, **more}).encode()
            yield request("POST", "/nodes/register", body, server.token)

    if made:
        drive(server.port, [registered()], 120.0)
    return made


def asked(server: Server, data: bytes) -> Any:
    """The answer to one request. RefusedError."""
    with connect(server.port, client_context()) as sock:
        sock.sendall(data)
        received = b""
        while (answer := parsed(received)) is None:
            more = sock.recv(65536)
            if not more:
                raise ConnectionResetError("the server closed the connection")
            received += more
    return json.loads(answer.body)


def one_by_one(token: str, node: Played, done: Callable[[int], None]) -> Script:
    """Submit, claim, report; each an exchange of its own."""
    submit = request("POST", "/jobs", JOB, token)
    while True:
        yield submit
        answer = yield node.poll()
        job = json.loads(answer.body)["job"]
        if job is None:  # another client was given it, and so its job is ours: ask again
            continue
        yield request("POST", "/results", json.dumps(node.report(job)).encode(), node.credential)
        done(1)


def carried(token: str, node: Played, done: Callable[[int], None]) -> Script:
    """Submit, and report with the next claim in the answer."""
    submit = request("POST", "/jobs", JOB, token)
    job = None
    while True:
        yield submit
        if job is None:
            answer = yield node.poll()
            job = json.loads(answer.body)["job"]
            continue
        sent = json.dumps(node.report(job)).encode()
        answer = yield request("POST", "/results?next=1", sent, node.credential)
        job = json.loads(answer.body)["next"]
        done(1)


def in_batches(token: str, node: Played, done: Callable[[int], None]) -> Script:
    """Submit, claim and report a hundred at once."""
    body = json.dumps({"jobs": [json.loads(JOB)] * TOGETHER}).encode()
    submit = request("POST", "/jobs/batch", body, token)
    # It holds nothing: what an earlier run was given when its time was over is given again.
    poll = node.poll(f"&max={TOGETHER}&leases=")
    while True:
        yield submit
        answer = yield poll
        jobs = json.loads(answer.body)["jobs"]
        if not jobs:
            continue
        sent = json.dumps({"reports": [node.report(job) for job in jobs]}).encode()
        answer = yield request("POST", "/results/batch", sent, node.credential)
        refused = [each["problem"] for each in json.loads(answer.body)["reports"] if each["problem"]]
        if refused:
            raise RefusedError(f"{len(refused)} reports were refused: {refused[0]}")
        done(len(jobs))


def must_know(server: Server, node: Played, query: str) -> None:
    """NotThereError unless the master's polls take this query."""
    try:
        asked(server, node.poll(query))
    except RefusedError:
        raise NotThereError(f"this master's polls do not take `{query.strip('&')}`") from None
