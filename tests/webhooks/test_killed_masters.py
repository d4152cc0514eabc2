"""A master that is killed and started again has told each event, in order, over TLS, at least once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agent.attacks.servers import certificate
from tests.api.corner import got
from tests.masters import Client, Master, start_master, wait_until
from tests.webhooks.receiver import Receiver, is_signed, receiving


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    context, _ = certificate(tmp_path, ["127.0.0.1"])
    with receiving(context) as found:
        yield found


@pytest.fixture
def start(tmp_path: Path, receiver: Receiver) -> Iterator[Callable[[], Master]]:
    """Starts a master, always on the same state; all are ended after the test."""
    started: list[Master] = []
    environment = {
        "FFRTMP_ALLOW_PRIVATE_WEBHOOKS": "1",
        "SSL_CERT_FILE": str(tmp_path / "server.pem"),
    }

    def begin() -> Master:
        started.append(start_master(tmp_path / "state", environment=environment))
        return started[-1]

    yield begin
    for master in started:
        master.stop()


def submit(client: Client, count: int) -> None:
    for _ in range(count):
        got(client.post("/jobs", json={"scenario": "720p-h264"}), 201)


def test_each_event_is_told_in_order_whenever_it_is_killed(
    start: Callable[[], Master], receiver: Receiver
) -> None:
    assert receiver.scheme == "https"
    master = start()
    with master.client() as client:
        webhook = got(client.post("/webhooks", json={"url": receiver.url}), 201)
    for round_ in range(3):
        before = len(receiver.got)
        with master.client() as client:
            submit(client, 15)
            wait_until(lambda before=before: len(receiver.got) > before, "some are told")  # type: ignore[misc]
        if round_ == 1:
            receiver.answers = [500]  # it is killed while it waits for the next try
            with master.client() as client:
                submit(client, 1)
        master.kill()
        master = start()
    with master.client() as client:
        got(client.post(f"/webhooks/{webhook['id']}/resume"))  # the try that failed need not wait its time
        shown = wait_until(lambda: all_told(client, webhook["id"]), "all is told")
        submitted = got(client.get("/jobs"))["count"]
    told = list(dict.fromkeys(receiver.seqs))
    assert receiver.seqs == sorted(receiver.seqs), "an event overtook another"
    assert submitted == 46
    assert {request.document["data"]["job_id"] for request in receiver.got} == {
        job["id"] for job in shown["jobs"]
    }
    assert len({(request.seq, request.id) for request in receiver.got}) == len(told) == submitted
    assert all(is_signed(request, webhook["secret"]) for request in receiver.got)


def all_told(client: Client, webhook_id: str) -> dict[str, list[dict[str, str]]] | None:
    """All jobs, once the webhook's receiver has been told of them all."""
    jobs: list[dict[str, str]] = got(client.get("/jobs"))["jobs"]
    tries = got(client.get(f"/webhooks/{webhook_id}/deliveries"))["deliveries"]
    delivered = {each["seq"] for each in tries if each["error"] is None}
    audited = got(client.get("/audit", params={"event": "job_submitted"}))["entries"]
    return {"jobs": jobs} if max(entry["seq"] for entry in audited) in delivered else None
