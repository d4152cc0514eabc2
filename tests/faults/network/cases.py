"""A request for each route, which changes something where the route can: a new route needs a row here."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.api.corner import Corner, got
from tests.api.routes import api_routes
from tests.masters import Client


class World:
    """Makes what a request speaks of; answers ids."""

    def __init__(self, client: Client) -> None:
        self.corner = Corner(client)

    def node(self) -> str:
        return str(self.corner.register()["id"])

    def drained(self) -> str:
        return self._changed("/nodes", self.node(), "drain")

    def unapproved(self) -> str:
        """Whoever comes through a proxy is nobody, also on this machine."""
        sent = {"address": "far", "credential": "c" * 43}
        answer = self.corner.client.post("/nodes/register", json=sent, headers={"Via": "1.1 proxy"})
        return str(got(answer, 201)["id"])

    def token(self) -> str:
        return str(got(self.corner.client.post("/tokens", json={"role": "join"}), 201)["id"])

    def webhook(self) -> str:
        """One whose receiver nobody finds (RFC 6761)."""
        sent = {"url": "https://hooks.invalid/"}
        return str(got(self.corner.client.post("/webhooks", json=sent), 201)["id"])

    def paused_webhook(self) -> str:
        return self._changed("/webhooks", self.webhook(), "pause")

    def pending(self) -> str:
        return str(self.corner.submit()["id"])

    def paused(self) -> str:
        return self._changed("/jobs", self.pending(), "pause")

    def running(self) -> dict[str, Any]:
        return self.corner.start()[1]

    def finished(self) -> str:
        claimed = self.running()
        got(self.corner.report(claimed, log=["done"]))
        return str(claimed["id"])

    def upload(self, size: int = 200_000) -> str:
        """An upload of which nothing has come."""
        sent = {"sha256": hashlib.sha256(self._content(size)).hexdigest(), "size": size}
        return str(got(self.corner.client.post("/files", json=sent))["id"])

    def last_piece(self) -> Sent:
        """More than is read before a thread takes the request over."""
        upload_id, size = self.upload(), 200_000
        headers = {"Content-Type": "application/octet-stream", "Upload-Offset": "0"}
        return Sent(upload_id, headers=headers, data=self._content(size))

    def stored(self) -> str:
        sent = self.last_piece()
        answer = self.corner.client.patch(f"/files/uploads/{sent.id}", data=sent.data, headers=sent.headers)
        return str(got(answer)["file"]["sha256"])

    def with_artifact(self) -> str:
        """A job that has stored what it made."""
        claimed, sha256 = self.running(), self.stored()
        made = {"path": "a.mp4", "kind": "video", "media_type": "video/mp4", "size": 200_000}
        artifact = {**made, "sha256": sha256, "location": f"file:{sha256}"}
        got(self.corner.report(claimed, findings={"artifacts": [artifact]}))
        return str(claimed["id"])

    def _content(self, size: int) -> bytes:
        """Of this test alone."""
        return self.corner.labels["corner"].encode() * (size // 36) + bytes(size % 36)

    def idle_with_a_job(self) -> str:
        """A node for which a job waits."""
        self.pending()
        return self.node()

    def pause_queue(self) -> None:
        got(self.corner.client.post("/queue/pause"))

    def _changed(self, what: str, id_: str, verb: str) -> str:
        got(self.corner.client.post(f"{what}/{id_}/{verb}"))
        return id_


@dataclass(frozen=True)
class Sent:
    """A request, but for the method and the path of its route."""

    id: str = ""
    """What stands in the path for an id, a hash or an artifact's path."""
    json: Any = None
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    data: bytes | None = None


@dataclass(frozen=True)
class Case:
    """A request that is sent twice or cut."""

    make: Callable[[World], Sent]
    changes: bool = True
    """Whether it changes what the master keeps."""
    again: frozenset[int] = field(default=frozenset({200, 201, 202, 204}))
    """What the repeat may be answered, when the first was carried out and nobody was told."""


def read(make: Callable[[World], Sent] = lambda _: Sent()) -> Case:
    return Case(make, changes=False)


def _key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def _lease(job: dict[str, Any], **more: Any) -> Sent:
    return Sent(job["id"], {"node_id": job["node_id"], "lease_id": job["lease_id"], **more})


def _report(job: dict[str, Any], **more: Any) -> Sent:
    known = {"job_id": job["id"], "node_id": job["node_id"], "lease_id": job["lease_id"]}
    return Sent(json={**known, "attempt": job["attempt"], **more})


def _reports(*jobs: dict[str, Any]) -> Sent:
    return Sent(json={"reports": [_report(job).json for job in jobs]})


def _resume_queue(world: World) -> Sent:
    world.pause_queue()
    return Sent()


_JOB = {"scenario": "720p-h264"}
_GONE = frozenset({404})
_NOT_HELD = frozenset({409})

CASES: dict[str, Case] = {
    "health.health": read(),
    "scenarios.all_scenarios": read(),
    "nodes.all_nodes": read(),
    "nodes.one": read(lambda world: Sent(world.node())),
    "nodes.register": Case(lambda _: Sent(json={"id": str(uuid.uuid4()), "address": "n", "instance": "i"})),
    "nodes.heartbeat": read(lambda world: Sent(world.node(), {"leases": []})),
    "nodes.leave": Case(lambda world: Sent(world.node(), {})),
    "nodes.remove": Case(lambda world: Sent(world.node()), again=_GONE),
    "nodes.approve": Case(lambda world: Sent(world.unapproved())),
    "nodes.drain": Case(lambda world: Sent(world.node())),
    "nodes.resume": Case(lambda world: Sent(world.drained())),
    # It changes a credential, which nobody is shown.
    "nodes.replace_credential": read(lambda world: Sent(world.node(), {"credential": "n" * 43})),
    "nodes.revoke": Case(lambda world: Sent(world.node())),
    "tokens.all_tokens": read(),
    "tokens.create": Case(lambda _: Sent(json={"role": "join"})),
    "tokens.revoke": Case(lambda world: Sent(world.token())),
    "webhooks.all_webhooks": read(),
    "webhooks.one": read(lambda world: Sent(world.webhook())),
    "webhooks.deliveries": read(lambda world: Sent(world.webhook())),
    "webhooks.create": Case(lambda _: Sent(json={"url": "https://hooks.invalid/"})),
    "webhooks.pause": Case(lambda world: Sent(world.webhook())),
    "webhooks.resume": Case(lambda world: Sent(world.paused_webhook())),
    "webhooks.rotate": Case(lambda world: Sent(world.webhook(), {"overlap": 60})),
    "webhooks.remove": Case(lambda world: Sent(world.webhook()), again=_GONE),
    # What is told again is told again, and changes nothing that is kept.
    "webhooks.replay": read(lambda world: Sent(world.webhook(), {"since_seq": 1})),
    "webhooks.test": read(lambda world: Sent(world.webhook())),
    "audit.page": read(),
    "events.stream": read(lambda _: Sent(params={"follow": "0", "after": "0"})),
    "jobs.page": read(),
    "jobs.one": read(lambda world: Sent(world.pending())),
    "jobs.log": read(lambda world: Sent(world.finished())),
    "jobs.result": read(lambda world: Sent(world.finished())),
    "jobs.submit": Case(lambda _: Sent(json=_JOB, headers=_key())),
    "jobs.submit_batch": Case(lambda _: Sent(json={"jobs": [_JOB, _JOB]}, headers=_key())),
    "jobs.cancel": Case(lambda world: Sent(world.pending())),
    "jobs.pause": Case(lambda world: Sent(world.pending())),
    "jobs.resume": Case(lambda world: Sent(world.paused())),
    "jobs.retry": Case(lambda world: Sent(world.finished(), headers=_key())),
    "jobs.artifact": read(lambda world: Sent(world.with_artifact())),
    "files.page": read(),
    # Uploads are not listed; they change what the master keeps when they are whole.
    "files.begin": read(lambda _: Sent(json={"sha256": "1" * 64, "size": 1_000_000})),
    # The sender asks how far the upload is, and goes on there.
    "files.send": Case(lambda world: world.last_piece(), again=frozenset({409})),
    "files.upload": read(lambda world: Sent(world.upload())),
    "files.abandon": Case(lambda world: Sent(world.upload()), changes=False, again=_GONE),
    "files.content": read(lambda world: Sent(world.stored())),
    "files.remove": Case(lambda world: Sent(world.stored()), again=_GONE),
    "queue.one": read(),
    "queue.status": read(),
    "queue.pause": Case(lambda _: Sent()),
    "queue.resume": Case(_resume_queue),
    "work.next_job": Case(lambda world: Sent(params={"node_id": world.idle_with_a_job(), "leases": ""})),
    "work.progress": Case(lambda world: _lease(world.running(), frame=7)),
    # The agent takes the refusal for what it is: the job is not its own any more.
    "work.release": Case(lambda world: _lease(world.running()), again=_NOT_HELD),
    # More than is read before a thread takes the request over.
    "work.report": Case(lambda world: _report(world.running(), log=["x" * 1000] * 100)),
    "work.report_batch": Case(lambda world: _reports(world.running(), world.running())),
    "results.page": read(),
    "results.archived": read(),
    "metrics.scrape": read(),
}
"""By endpoint."""


def send(client: Client, endpoint: str, sent: Sent) -> requests.Response:
    method, path = api_routes()[endpoint]
    filled = path.replace("{id}", sent.id).replace("{sha256}", sent.id).replace("{path:path}", "a.mp4")
    return client.request(
        method,
        filled,
        json=sent.json,
        data=sent.data,
        params=sent.params,
        headers=None if sent.headers is None else dict(sent.headers),
    )
