"""`/webhooks` makes, shows, steers and removes webhooks; only the answers that make a secret have it."""

from __future__ import annotations

import stat
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from common import problems
from tests.api.corner import TIMESTAMP, Corner, got, refused, refused_fields
from tests.masters import Client, Master, wait_until

URL = "https://hooks.invalid/of/a?secret=kind"


@pytest.fixture
def made(client: Client) -> Iterator[dict[str, Any]]:
    """A webhook whose receiver nobody finds (RFC 6761)."""
    found = got(client.post("/webhooks", json={"url": URL, "events": ["job_failed", "job_canceled"]}), 201)
    yield found
    client.delete(f"/webhooks/{found['id']}")


def audited(client: Client, webhook_id: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = got(client.get("/audit"))["entries"]
    return [entry for entry in reversed(entries) if entry["details"].get("webhook_id") == webhook_id]


def test_one_is_made_and_shown_without_its_secret(
    master: Master, client: Client, made: dict[str, Any]
) -> None:
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    uuid.UUID(made["id"])
    assert TIMESTAMP.fullmatch(made["created_at"])
    assert (made["name"], made["url"], made["status"]) == ("hooks.invalid", URL, "active")
    assert made["events"] == ["job_canceled", "job_failed"]
    shown = got(client.get(f"/webhooks/{made['id']}"))
    assert shown == {**made, "told": shown["told"], "newest": shown["newest"]}
    assert made["id"] in {each["id"] for each in got(client.get("/webhooks"))["webhooks"]}
    for text in (client.get("/webhooks").text, client.get("/audit").text, master.log.read_text()):
        assert secret.removeprefix("whsec_") not in text


def test_the_secret_is_in_no_record_and_the_key_is_for_the_master_alone(
    master: Master, made: dict[str, Any]
) -> None:
    key = master.state_dir / "webhooks.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((master.state_dir / "webhooks.db").stat().st_mode) == 0o600
    for path in master.state_dir.rglob("*"):
        if path.is_file():
            assert made["secret"].removeprefix("whsec_").encode() not in path.read_bytes()


def test_the_audit_tells_who_did_it_and_neither_the_url_nor_the_secret(
    client: Client, made: dict[str, Any]
) -> None:
    path = f"/webhooks/{made['id']}"
    for verb in ("pause", "resume", "rotate"):
        got(client.post(f"{path}/{verb}"))
    got(client.post(f"{path}/replay", json={"since_seq": 3}), 202)
    assert client.delete(path).status_code == 204
    entries = audited(client, made["id"])
    assert [entry["event"] for entry in entries] == [
        "webhook_created",
        "webhook_stopped",
        "webhook_resumed",
        "webhook_rotated",
        "webhook_replayed",
        "webhook_removed",
    ]
    assert {entry["by"] for entry in entries} == {"operator"}
    assert entries[0]["details"]["events"] == ["job_canceled", "job_failed"]
    assert entries[4]["details"]["after"] == 2
    assert "secret=kind" not in str(entries)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "url"),
        ({"url": "http://hooks.example.com/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://[::1]:8080/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data/"}, "url"),
        ({"url": "https://user:pass@hooks.invalid/"}, "url"),
        ({"url": "https://hooks.invalid/" + "x" * 2048}, "url"),
        ({"url": URL, "events": ["job_exploded"]}, "events"),
        ({"url": URL, "events": ["token_created"]}, "events"),
        ({"url": URL, "name": ""}, "name"),
        ({"url": URL, "secret": "whsec_mine"}, "secret"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named_and_makes_nothing(
    client: Client, fields: dict[str, Any], named: str
) -> None:
    before = got(client.get("/webhooks"))["count"]
    assert refused_fields(client.post("/webhooks", json=fields)) == [named]
    assert got(client.get("/webhooks"))["count"] == before


def test_a_refusal_of_a_private_address_names_the_flag_that_allows_it(client: Client) -> None:
    body = refused(client.post("/webhooks", json={"url": "https://10.0.0.1/"}), problems.INVALID)
    assert "--allow-private-webhooks" in body["detail"]


def test_one_is_paused_and_resumed_and_asking_twice_changes_nothing_more(
    client: Client, made: dict[str, Any]
) -> None:
    path = f"/webhooks/{made['id']}"
    for _ in range(2):
        paused = got(client.post(f"{path}/pause"))
        assert (paused["status"], paused["reason"]) == ("paused", "an operator paused it")
    for _ in range(2):
        resumed = got(client.post(f"{path}/resume"))
        assert (resumed["status"], resumed["reason"]) == ("active", None)
    assert len(audited(client, made["id"])) == 3


def test_a_new_secret_is_another_one_and_the_old_one_holds_for_a_while(
    client: Client, made: dict[str, Any]
) -> None:
    path = f"/webhooks/{made['id']}"
    rotated = got(client.post(f"{path}/rotate", json={"overlap": 3600}))
    assert rotated["secret"] != made["secret"]
    assert rotated["replaced_until"] > rotated["created_at"]
    assert got(client.post(f"{path}/rotate"))["secret"] not in (rotated["secret"], made["secret"])
    assert refused_fields(client.post(f"{path}/rotate", json={"overlap": -1})) == ["overlap"]


def test_what_could_not_be_delivered_is_shown_with_the_reason_and_the_next_try(corner: Corner) -> None:
    client = corner.client
    webhook = got(client.post("/webhooks", json={"url": URL, "events": ["job_submitted"]}), 201)
    path = f"/webhooks/{webhook['id']}"
    corner.submit()
    wait_until(lambda: got(client.get(path))["failures"], "it was tried", 40)
    shown = got(client.get(path))
    newest = shown["last_delivery"]
    assert "cannot be resolved" in newest["error"]
    assert (newest["event"], newest["status_code"]) == ("job_submitted", None)
    assert shown["next_try_at"] == newest["next_try_at"] is not None
    assert got(client.get(f"{path}/deliveries", params={"limit": "1"}))["count"] == 1
    assert client.delete(path).status_code == 204
    refused(client.get(f"{path}/deliveries"), problems.UNKNOWN_WEBHOOK)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "since_seq"),
        ({"since_seq": 1, "since": "2026-01-01T00:00:00Z"}, "since_seq"),
        ({"since_seq": 2**50}, "since_seq"),
        ({"since_seq": 0}, "since_seq"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-02-30T00:00:00Z"}, "since"),
        ({"delivery_id": 2**50}, "delivery_id"),
    ],
    ids=str,
)
def test_a_replay_of_nothing_that_there_is_is_refused(
    client: Client, made: dict[str, Any], fields: dict[str, Any], named: str
) -> None:
    answer = client.post(f"/webhooks/{made['id']}/replay", json=fields)
    assert refused_fields(answer) == [named]
    assert len(audited(client, made["id"])) == 1


def test_what_waits_of_wishes_is_bounded(client: Client, made: dict[str, Any]) -> None:
    answers = [client.post(f"/webhooks/{made['id']}/test") for _ in range(10)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["message_id"] for answer in answers}) == 10


def test_an_unknown_one_is_told_as_such(client: Client) -> None:
    refused(client.get("/webhooks/none"), problems.UNKNOWN_WEBHOOK)
    refused(client.delete("/webhooks/none"), problems.UNKNOWN_WEBHOOK)
