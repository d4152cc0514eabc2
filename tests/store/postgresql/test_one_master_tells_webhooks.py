"""One master tells webhooks, whichever is asked for something; when it ends another goes on where it was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import Webhook, WebhookStatus
from common.schema import WebhookSchema
from master.api.documents import told_of_a_job
from master.lifecycle import commands
from master.service import Farm
from master.service.webhooks import Desk
from master.store.postgres.store import PostgresStore
from master.store.postgres.turns import Lead
from master.webhooks import dispatch
from master.webhooks.dispatch import Dispatcher
from master.webhooks.file_book import NAME, FileBook
from master.webhooks.post import Surroundings
from tests.core.support import OPERATOR, register, submit
from tests.store.postgresql.conftest import Masters, until
from tests.webhooks.receiver import Receiver, receiving

KEY = bytes(32)


class Telling:
    """The webhooks of one master."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        self.book = farm.store.open_book(farm.config.state_dir)
        world = Surroundings(allow_private=True, clock=farm.clock)
        self.dispatcher = Dispatcher(farm, self.book, KEY, told_of_a_job, world, chance=lambda: 0.0)
        self.desk = Desk(farm, self.book, KEY, world, self.dispatcher)
        self.dispatcher.start()

    def make(self, receiver: Receiver, **fields: object) -> str:
        loaded = WebhookSchema().load({"url": receiver.url, **fields})
        return self.desk.create(OPERATOR, loaded)[0].webhook.id

    def told(self, webhook_id: str) -> int:
        return self.desk.one(webhook_id).standing.told

    def die(self) -> None:
        """As a killed process does: it says nothing more, and the database lets its locks go."""
        self.dispatcher._stop.set()
        assert isinstance(self.farm.store, PostgresStore)
        lead, self.farm.store._lead = self.farm.store._lead, Lead(no_connection)
        lead.close()


def no_connection() -> Connection[TupleRow]:
    raise psycopg.OperationalError("it is dead")


Tellings = Callable[[int], list[Telling]]


@pytest.fixture
def telling(masters: Masters) -> Iterator[Tellings]:
    """So many masters; the first of them tells."""
    made: list[Telling] = []

    def make(count: int) -> list[Telling]:
        for farm in masters(count):
            made.append(Telling(farm))
            if len(made) == 1:
                until(lambda: made[0].farm.store.leads("webhooks"))
        return made

    yield make
    for each in made:
        each.dispatcher.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@contextmanager
def holding_the_first(receiver: Receiver) -> Iterator[None]:
    """It does not answer the first request that it has before the end."""
    go_on, first = threading.Event(), iter([True])
    receiver.hold = lambda: next(first, False) and go_on.wait(60)
    try:
        yield
    finally:
        go_on.set()
        receiver.hold = lambda: None


def test_what_happens_at_any_master_is_told_once_and_in_order(telling: Tellings, receiver: Receiver) -> None:
    tellings = telling(2)
    webhook_id = tellings[1].make(receiver)
    for number in range(10):
        submit(tellings[number % 2].farm)
    newest = tellings[1].farm.store.history  # it has recorded the last
    until(lambda: all(each.told(webhook_id) == newest for each in tellings))
    assert receiver.seqs == list(range(newest - 9, newest + 1))


def test_when_the_one_that_tells_ends_another_goes_on_where_it_was(
    telling: Tellings, receiver: Receiver
) -> None:
    first, second = telling(2)
    webhook_id = first.make(receiver)
    for _ in range(3):
        submit(second.farm)
    until(lambda: len(receiver.got) == 3)
    until(lambda: second.told(webhook_id) == second.farm.feed.seq)
    first.die()
    for _ in range(3):
        submit(second.farm)
    newest = second.farm.feed.seq
    until(lambda: second.told(webhook_id) == newest)
    assert receiver.seqs == list(range(newest - 5, newest + 1))


def test_only_what_was_under_way_when_it_died_comes_twice(telling: Tellings, receiver: Receiver) -> None:
    first, second = telling(2)
    webhook_id = first.make(receiver)
    with holding_the_first(receiver):
        for _ in range(3):
            submit(second.farm)
        until(lambda: len(receiver.got) == 1)
        first.die()
        newest = second.farm.store.history
        until(lambda: second.told(webhook_id) == newest)
    until(lambda: not first.dispatcher._at_work)  # and it has noted what it heard so late
    assert receiver.seqs == [newest - 2, newest - 2, newest - 1, newest]
    standing = second.book.standing(webhook_id)
    assert standing is not None
    assert standing.told == newest


def test_what_is_not_wanted_is_not_looked_through_again(telling: Tellings, receiver: Receiver) -> None:
    first, second = telling(2)
    webhook_id = first.make(receiver, events=["node_registered"])
    for _ in range(3):
        submit(first.farm)
    until(lambda: second.told(webhook_id) == second.farm.feed.seq == first.farm.feed.seq)
    assert [each.backlog for each in second.desk.gauges()] == [0]
    register(second.farm)
    until(lambda: receiver.types == ["node_registered"])


def test_whichever_master_is_asked_it_is_done_by_the_one_that_tells(
    telling: Tellings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "_LOOK", 3600.0)  # it does not wait until somebody looks
    first, second = telling(2)
    webhook_id = second.make(receiver)
    second.desk.pause(OPERATOR, webhook_id)
    submit(first.farm)
    _, message_id = second.desk.test(webhook_id)
    until(lambda: [request.id for request in receiver.got] == [message_id])
    second.desk.resume(OPERATOR, webhook_id)
    until(lambda: receiver.types[1:] == ["job_submitted"])
    until(lambda: second.told(webhook_id) >= 2)
    second.desk.replay(OPERATOR, webhook_id, {"since": "2020-01-01T00:00:00Z"})
    until(lambda: receiver.types[2:] == ["job_submitted"])
    until(lambda: len(second.desk.deliveries(webhook_id, 10)) == 3)
    assert first.desk.deliveries(webhook_id, 10) == second.desk.deliveries(webhook_id, 10)
    until(lambda: not first.dispatcher._at_work and not first.dispatcher._news.is_set())
    _, message_id = second.desk.test(webhook_id)
    until(lambda: receiver.got[-1].id == message_id)
    second.desk.remove(OPERATOR, webhook_id)
    until(lambda: first.book.standing(webhook_id) is None)


def test_what_was_told_before_the_records_came_to_the_database_is_not_told_again(
    masters: Masters, telling: Tellings, receiver: Receiver
) -> None:
    (farm,) = masters(1)
    made = Webhook("a-webhook", "moved", receiver.url, (), farm.clock().wall, 0)
    with farm.store.transaction(farm.clock()) as tx:
        farm.decide(tx, commands.CreateWebhook(made))
    for _ in range(3):
        submit(farm)
    newest = farm.store.history
    with closing(FileBook(farm.config.state_dir / NAME)) as before:
        before.begin(made.id, newest - 1)
    (first,) = telling(1)
    until(lambda: first.told(made.id) == newest)
    assert receiver.seqs == [newest]
    assert not (farm.config.state_dir / NAME).exists()


def test_one_that_wants_nothing_more_is_paused_for_all(telling: Tellings, receiver: Receiver) -> None:
    first, second = telling(2)
    receiver.answers = [410]
    webhook_id = first.make(receiver)
    submit(second.farm)
    until(lambda: second.desk.one(webhook_id).webhook.status is WebhookStatus.PAUSED)
    assert second.desk.one(webhook_id).standing.failures == 1
