"""A farm in memory whose webhooks are really sent, on a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from common.schema import WebhookSchema
from master.api.documents import told_of_a_job
from master.lifecycle import commands
from master.service import jobs
from master.service.farm import Farm
from master.service.webhooks import Desk, WebhookView
from master.webhooks import signing
from master.webhooks.book import Book
from master.webhooks.dispatch import Dispatcher
from master.webhooks.post import Surroundings
from tests.core.support import OPERATOR, FakeClock, crash, make_farm
from tests.masters import wait_until
from tests.webhooks.receiver import Receiver, receiving

KEY = bytes(32)


@dataclass
class Telling:
    """A master's webhooks, as far as they are needed; it may crash and begin again."""

    directory: Path
    clock: FakeClock
    world: Surroundings
    farm: Farm = field(init=False)
    book: Book = field(init=False)
    desk: Desk = field(init=False)
    dispatcher: Dispatcher = field(init=False)

    def begin(self) -> Telling:
        self.farm = make_farm(self.directory, self.clock)
        self.book = self.farm.store.open_book(self.directory)
        world = replace(self.world, clock=self.clock)
        self.dispatcher = Dispatcher(self.farm, self.book, KEY, told_of_a_job, world, chance=lambda: 0.0)
        self.desk = Desk(self.farm, self.book, KEY, world, self.dispatcher)
        self.dispatcher.start()
        return self

    def end(self) -> None:
        self.dispatcher.stop()
        self.book.close()
        crash(self.farm.store)

    def webhook(self, url: str, **fields: Any) -> str:
        loaded = WebhookSchema().load({"url": url, **fields})
        return self.desk.create(OPERATOR, loaded)[0].webhook.id

    def secret(self, webhook_id: str) -> str:
        webhook = self.view(webhook_id).webhook
        return signing.render(signing.secret(KEY, webhook.id, webhook.generation))

    def cancel(self, job_id: str) -> None:
        jobs.change(self.farm, OPERATOR, job_id, commands.Cancel())

    def view(self, webhook_id: str) -> WebhookView:
        return self.desk.one(webhook_id)

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.dispatcher.wake()

    def until(self, condition: Callable[[], Any], what: str) -> None:
        wait_until(condition, what)

    def until_failed(self, webhook_id: str, times: int) -> None:
        """The last of so many failures in a row is noted."""
        self.until(lambda: self.view(webhook_id).standing.failures == times, f"it failed {times} times")

    def until_told(self, webhook_id: str, seq: int) -> None:
        self.until(lambda: self.view(webhook_id).standing.told >= seq, f"event {seq} was taken")


@pytest.fixture
def clock() -> FakeClock:
    """It shows the time that receivers have: signatures hold for minutes only."""
    clock = FakeClock()
    clock.set_wall(datetime.now(UTC))
    return clock


@pytest.fixture
def telling(tmp_path: Path, clock: FakeClock) -> Iterator[Telling]:
    running = Telling(tmp_path, clock, Surroundings(allow_private=True)).begin()
    yield running
    running.end()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def receivers() -> Iterator[Callable[[], Receiver]]:
    """As many as are asked for."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(receiving())
