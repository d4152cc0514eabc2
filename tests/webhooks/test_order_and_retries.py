"""Events reach a receiver in order and at least once, whatever it answers, and none waits for another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from common.model import WebhookStatus
from master.webhooks import patience
from tests.core.support import OPERATOR, register, submit
from tests.webhooks.conftest import Telling
from tests.webhooks.receiver import Receiver


def distinct(seqs: list[int]) -> list[int]:
    return list(dict.fromkeys(seqs))


def test_all_is_told_in_the_order_in_which_it_happened(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url)
    for _ in range(250):
        submit(telling.farm)
    register(telling.farm)
    newest = telling.farm.feed.seq
    telling.until_told(webhook_id, newest)
    assert receiver.seqs == list(range(newest - 250, newest + 1))


def test_what_fails_is_sent_again_with_the_same_id_and_nothing_overtakes_it(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.answers = [500, 503]
    webhook_id = telling.webhook(receiver.url)
    submit(telling.farm)
    submit(telling.farm)
    telling.until_failed(webhook_id, 1)
    telling.later(5.5)
    telling.until_failed(webhook_id, 2)
    assert len(set(receiver.seqs)) == 1
    telling.later(10.5)  # the pauses double
    telling.until_told(webhook_id, telling.farm.feed.seq)
    first, second = receiver.got[0], receiver.got[3]
    assert [request.id for request in receiver.got] == [first.id] * 3 + [second.id]
    assert receiver.got[2].headers["webhook-timestamp"] != first.headers["webhook-timestamp"]
    tries = telling.desk.deliveries(webhook_id, 10)
    assert [(each.number, each.status, each.error is None) for each in tries] == [
        (1, 204, True),
        (3, 204, True),
        (2, 503, False),
        (1, 500, False),
    ]


def test_it_is_not_tried_before_its_time(telling: Telling, receiver: Receiver) -> None:
    receiver.answers = [500]
    webhook_id = telling.webhook(receiver.url)
    submit(telling.farm)
    telling.until_failed(webhook_id, 1)
    other = telling.webhook(receiver.url)  # a round goes by, since this one is told
    telling.later(4.0)
    submit(telling.farm)
    telling.until_told(other, telling.farm.feed.seq)
    assert telling.view(webhook_id).standing.failures == 1
    telling.later(1.5)
    telling.until_told(webhook_id, telling.farm.feed.seq)


@pytest.mark.parametrize("kind", ["seconds", "a date"])
def test_a_receiver_may_ask_for_a_longer_pause(telling: Telling, receiver: Receiver, kind: str) -> None:
    moment = format_datetime(datetime.fromtimestamp(telling.clock().wall.timestamp() + 120, UTC), usegmt=True)
    receiver.answers = [(429, {"Retry-After": "120" if kind == "seconds" else moment})]
    webhook_id = telling.webhook(receiver.url)
    submit(telling.farm)
    telling.until_failed(webhook_id, 1)
    standing = telling.view(webhook_id).standing
    assert standing.next_try is not None
    assert standing.failing_since is not None
    assert 118 < standing.next_try - standing.failing_since < 125


def test_one_that_answers_gone_is_paused_and_told_the_rest_when_it_is_resumed(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.answers = [410]
    webhook_id = telling.webhook(receiver.url)
    submit(telling.farm)
    telling.until(lambda: telling.view(webhook_id).webhook.status is WebhookStatus.PAUSED, "it is paused")
    assert "410" in str(telling.view(webhook_id).webhook.reason)
    submit(telling.farm)
    telling.later(100_000.0)
    telling.desk.resume(OPERATOR, webhook_id)
    telling.until_told(webhook_id, telling.farm.feed.seq - 1)
    assert receiver.types == ["job_submitted"] * 3
    assert receiver.got[0].id == receiver.got[1].id


def test_one_that_takes_nothing_for_days_is_disabled_with_an_event(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.always = 500
    webhook_id = telling.webhook(receiver.url)
    submit(telling.farm)
    for times in range(1, 100):
        telling.until(
            lambda times=times: (
                len(receiver.got) >= times  # type: ignore[misc]
                and telling.view(webhook_id).standing.failures >= times
            ),
            "it failed once more",
        )
        if telling.clock().wall.timestamp() - started(telling, webhook_id) >= patience.GIVE_UP_AFTER:
            break
        telling.later(patience.LONGEST_PAUSE)
    telling.until(lambda: telling.view(webhook_id).webhook.status is WebhookStatus.DISABLED, "it is disabled")
    assert times > patience.LEAST_TRIES
    reason = str(telling.view(webhook_id).webhook.reason)
    assert "it has taken nothing for 3.0 days; at last: it answered 500" in reason
    last = telling.farm.feed.after(telling.farm.feed.seq - 1, 1).heard[0].entry
    assert (last["event"], last["by"], last["details"]["webhook_id"]) == (
        "webhook_stopped",
        "master",
        webhook_id,
    )


def started(telling: Telling, webhook_id: str) -> float:
    since = telling.view(webhook_id).standing.failing_since
    assert since is not None
    return since


def test_a_slow_receiver_holds_up_no_other_and_no_caller(
    telling: Telling, receivers: Callable[[], Receiver]
) -> None:
    slow, quick = [receivers() for _ in range(12)], receivers()
    go_on = threading.Event()
    for each in slow:
        each.hold = lambda: go_on.wait(30)
        telling.webhook(each.url)
    told = telling.webhook(quick.url)
    for _ in range(20):
        submit(telling.farm)
    telling.until(lambda: all(each.got for each in slow), "all slow ones have a request")
    telling.until_told(told, telling.farm.feed.seq)
    assert [len(each.got) for each in slow] == [1] * 12
    go_on.set()


def test_what_happens_while_one_is_paused_waits_for_it(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url)
    telling.desk.pause(OPERATOR, webhook_id)
    submit(telling.farm)
    newest = telling.farm.feed.seq
    other = telling.webhook(receiver.url.replace("/hook", "/other"))
    submit(telling.farm)
    telling.until_told(other, telling.farm.feed.seq)
    assert {request.path for request in receiver.got} == {"/other"}
    telling.desk.resume(OPERATOR, webhook_id)
    telling.until_told(webhook_id, newest)


def test_a_removed_one_is_told_nothing_more(telling: Telling, receiver: Receiver) -> None:
    receiver.answers = [500]
    webhook_id = telling.webhook(receiver.url)
    submit(telling.farm)
    telling.until_failed(webhook_id, 1)
    telling.desk.remove(OPERATOR, webhook_id)
    telling.later(100.0)
    telling.until(lambda: telling.book.standing(webhook_id) is None, "it is forgotten")
    assert telling.book.tries(webhook_id, 10) == []
    assert len(receiver.got) == 1


def test_requests_in_a_row_share_a_connection(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url)
    telling.desk.pause(OPERATOR, webhook_id)
    for _ in range(20):
        submit(telling.farm)
    telling.desk.resume(OPERATOR, webhook_id)
    telling.until(lambda: len(receiver.got) == 20, "all are told")
    assert receiver.connections == 1


def test_a_receiver_may_hang_up_after_each_answer_and_nothing_counts_as_failed(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.hangs_up = True
    webhook_id = telling.webhook(receiver.url)
    for _ in range(20):
        submit(telling.farm)
    newest = telling.farm.feed.seq
    telling.until_told(webhook_id, newest)
    assert distinct(receiver.seqs) == list(range(newest - 19, newest + 1))
    assert all(each.error is None for each in telling.desk.deliveries(webhook_id, 100))


def test_what_is_not_wanted_counts_as_told(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url, events=["node_registered"])
    for _ in range(5):
        submit(telling.farm)
    telling.until_told(webhook_id, telling.farm.feed.seq)
    assert receiver.got == []


# Telling again


def test_everything_since_a_number_is_told_again_with_the_same_ids(
    telling: Telling, receiver: Receiver
) -> None:
    webhook_id = telling.webhook(receiver.url)
    for _ in range(5):
        submit(telling.farm)
    newest = telling.farm.feed.seq
    telling.until_told(webhook_id, newest)
    before = [request.id for request in receiver.got]
    telling.desk.replay(OPERATOR, webhook_id, {"since_seq": newest - 1})
    telling.until(lambda: len(receiver.got) == 7, "two are told again")
    assert [request.id for request in receiver.got] == before + before[-2:]


def test_everything_since_a_time_is_told_again_also_what_came_before_the_webhook(
    telling: Telling, receiver: Receiver
) -> None:
    submit(telling.farm)
    telling.clock.advance(60)
    submit(telling.farm)
    since = telling.clock().wall
    telling.clock.advance(60)
    webhook_id = telling.webhook(receiver.url)
    telling.desk.replay(OPERATOR, webhook_id, {"since": f"{since:%Y-%m-%dT%H:%M:%SZ}"})
    telling.until(lambda: receiver.got, "it is told")
    telling.until_told(webhook_id, 2)
    assert receiver.seqs == [2]


def test_one_delivery_is_sent_once_more_and_nothing_else(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url)
    for _ in range(3):
        submit(telling.farm)
    telling.until_told(webhook_id, telling.farm.feed.seq)
    chosen = telling.desk.deliveries(webhook_id, 10)[1]
    assert telling.desk.replay(OPERATOR, webhook_id, {"delivery_id": chosen.id})[1] == chosen.message_id
    telling.until(lambda: len(receiver.got) == 4, "it is sent")
    assert receiver.got[3].id == chosen.message_id
    assert receiver.got[3].body == receiver.got[1].body
    telling.until(lambda: telling.book.next_wish(webhook_id) is None, "it is done")


def test_a_test_is_sent_even_if_the_webhook_is_paused_and_is_not_tried_again(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.answers = [500]
    webhook_id = telling.webhook(receiver.url)
    telling.desk.pause(OPERATOR, webhook_id)
    _, message_id = telling.desk.test(webhook_id)
    telling.until(lambda: telling.desk.deliveries(webhook_id, 1), "it is sent")
    (sent,) = telling.desk.deliveries(webhook_id, 10)
    assert (sent.message_id, sent.event, sent.seq, sent.status) == (message_id, "test", None, 500)
    assert sent.next_try is None
    assert receiver.got[0].document["data"] == {"webhook_id": webhook_id}
    assert telling.view(webhook_id).standing.failures == 0


# Beginning again


def test_after_a_crash_it_goes_on_where_it_was(telling: Telling, receiver: Receiver) -> None:
    receiver.answers = [204, 204, 500]
    webhook_id = telling.webhook(receiver.url)
    for _ in range(5):
        submit(telling.farm)
    newest = telling.farm.feed.seq
    telling.until_failed(webhook_id, 1)
    telling.end()
    telling.begin()
    assert telling.view(webhook_id).standing.failures == 1
    telling.later(5.5)
    telling.until_told(webhook_id, newest)
    assert receiver.seqs == [newest - 4, newest - 3, newest - 2, newest - 2, newest - 1, newest]


def test_what_happened_while_nothing_was_told_is_told_after_the_start(
    telling: Telling, receiver: Receiver
) -> None:
    webhook_id = telling.webhook(receiver.url)
    telling.dispatcher.stop()
    for _ in range(3):
        submit(telling.farm)
    newest = telling.farm.feed.seq
    telling.end()
    telling.begin()
    telling.until_told(webhook_id, newest)
    assert receiver.seqs == [newest - 2, newest - 1, newest]


def test_without_its_book_a_webhook_begins_with_what_happens_from_then_on(
    telling: Telling, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    webhook_id = telling.webhook(receiver.url)
    submit(telling.farm)
    telling.until_told(webhook_id, telling.farm.feed.seq)
    telling.end()
    for file in telling.directory.glob("webhooks.db*"):
        file.unlink()
    telling.begin()
    assert "ffrtmp webhooks replay" in caplog.text
    submit(telling.farm)
    telling.until(lambda: len(receiver.got) == 2, "it is told")
    assert distinct(receiver.seqs) == receiver.seqs


def test_a_damaged_book_is_set_aside_and_the_master_starts(telling: Telling, receiver: Receiver) -> None:
    telling.webhook(receiver.url)
    telling.end()
    (telling.directory / "webhooks.db").write_bytes(b"this is no database" * 1000)
    telling.begin()
    submit(telling.farm)
    telling.until(lambda: receiver.got, "it is told")
    assert (telling.directory / "webhooks.damaged").read_bytes().startswith(b"this is no database")


def test_the_book_keeps_a_bounded_number_of_tries(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url)
    for _ in range(230):
        submit(telling.farm)
    telling.until_told(webhook_id, telling.farm.feed.seq)
    assert len(telling.desk.deliveries(webhook_id, 1000)) == 200
