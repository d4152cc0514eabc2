"""Prometheus is told what receivers took and refused, and how much each webhook was not told yet."""

from __future__ import annotations

from pathlib import Path

from tests.core.support import OPERATOR, submit
from tests.masters import start_master
from tests.metrics.support import Page, page_of, scrape
from tests.webhooks.conftest import Telling
from tests.webhooks.receiver import Receiver

REQUESTS = "ffrtmp_webhook_requests_total"
BACKLOG = "ffrtmp_webhook_backlog_events"


def measured(telling: Telling) -> Page:
    return page_of(telling.farm, webhooks=telling.desk.gauges())


def test_each_request_counts_as_taken_or_failed(telling: Telling, receiver: Receiver) -> None:
    receiver.answers = [500]
    webhook_id = telling.webhook(receiver.url)
    submit(telling.farm)
    telling.until_failed(webhook_id, 1)
    page = measured(telling)
    assert page.value(REQUESTS, webhook=webhook_id, result="failed") == 1
    assert page.value(REQUESTS, webhook=webhook_id, result="taken") == 0
    telling.later(5.5)
    telling.until_told(webhook_id, telling.farm.feed.seq)
    page = measured(telling)
    assert page.value(REQUESTS, webhook=webhook_id, result="failed") == 1
    assert page.value(REQUESTS, webhook=webhook_id, result="taken") == 1


def test_the_backlog_is_what_was_not_told_yet(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url)
    telling.until_told(webhook_id, telling.farm.feed.seq)
    telling.desk.pause(OPERATOR, webhook_id)
    paused = telling.farm.feed.seq
    for _ in range(3):
        submit(telling.farm)
    page = measured(telling)
    assert page.value("ffrtmp_webhooks", status="paused") == 1
    backlog = page.value(BACKLOG, webhook=webhook_id)
    assert backlog is not None
    assert 3 <= backlog <= telling.farm.feed.seq - paused + 1
    telling.desk.resume(OPERATOR, webhook_id)
    telling.until_told(webhook_id, telling.farm.feed.seq)
    page = measured(telling)
    assert page.value(BACKLOG, webhook=webhook_id) == 0
    assert page.value("ffrtmp_webhooks", status="active") == 1


def test_a_webhook_that_was_removed_has_no_series_any_more(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url, name="to-chat")
    submit(telling.farm)
    telling.until_told(webhook_id, telling.farm.feed.seq)
    page = measured(telling)
    assert {"webhook": webhook_id, "name": "to-chat"} in page.all("ffrtmp_webhook_info")
    assert page.all(REQUESTS)
    telling.desk.remove(OPERATOR, webhook_id)
    page = measured(telling)
    assert page.all(REQUESTS) == page.all(BACKLOG) == page.all("ffrtmp_webhook_info") == []


def test_a_masters_page_has_them(tmp_path: Path) -> None:
    master = start_master(tmp_path / "state", environment={"FFRTMP_ALLOW_PRIVATE_WEBHOOKS": "1"})
    with master.client() as client:
        made = client.post("/webhooks", json={"url": "https://127.0.0.1:1/", "name": "far"})
        assert made.status_code == 201, made.text
        page = scrape(client)
    assert master.stop() == 0
    assert [each["name"] for each in page.all("ffrtmp_webhook_info")] == ["far"]
    assert [each["webhook"] for each in page.all(BACKLOG)] == [made.json()["id"]]
