"""The verbs of webhooks."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common import problems
from common.inputs import InputError, Url, parse_url
from common.model import Webhook, WebhookStatus
from common.reach import NoAddressError
from common.timestamps import parse_timestamp
from master.lifecycle import commands
from master.metrics import WebhookGauges
from master.service.farm import Farm, new_id
from master.service.views import Caller
from master.store.interface import Transaction
from master.store.trail import Wanted
from master.webhooks import message, signing
from master.webhooks.book import KEPT_TRIES, KEPT_WISHES, Book, Standing, Try
from master.webhooks.dispatch import Dispatcher
from master.webhooks.limits import MOST_WEBHOOKS
from master.webhooks.post import RefusedError, Surroundings, judged

log = logging.getLogger(__name__)

PAUSED_BY_HAND = "an operator paused it"
_TO_RESUME = "ffrtmp webhooks resume"


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook, with how far it is."""

    webhook: Webhook
    standing: Standing
    newest: int
    """The number of the newest event."""
    last: Try | None
    """The newest request."""


class Desk:
    """Where webhooks are made and steered."""

    def __init__(
        self, farm: Farm, book: Book, key: bytes, world: Surroundings, dispatcher: Dispatcher
    ) -> None:
        """`key`: all secrets follow from it."""
        self._farm, self._book, self._key, self._world = farm, book, key, world
        self._dispatcher, self._wake = dispatcher, dispatcher.wake

    def create(self, caller: Caller, fields: Mapping[str, Any]) -> tuple[WebhookView, str]:
        """Make a webhook; it, and its secret. `invalid` if nothing may be sent there; `too_many`."""
        url = self._receiver(fields["url"])
        events = tuple(sorted(set(fields["events"])))
        unknown = [name for name in events if name not in message.EVENTS]
        if unknown:
            raise problems.invalid_field(
                "events", f"There is no event {unknown[0]!r} of jobs or nodes. docs/webhooks.md lists them."
            )
        now = self._farm.clock()
        with self._farm.store.transaction(now, caller.actor) as tx:
            if len(tx.webhooks()) >= MOST_WEBHOOKS:
                raise problems.TOO_MANY(
                    f"There are {MOST_WEBHOOKS} webhooks, and no more are kept; remove one first."
                )
            name = fields["name"] or url.origin.host
            webhook = Webhook(new_id(), name, str(url), events, now.wall, tx.history())
            self._farm.decide(tx, commands.CreateWebhook(webhook))
            self._book.begin(webhook.id, webhook.after)
        return self._view(webhook), self._secret(webhook)

    def all_webhooks(self) -> list[WebhookView]:
        """All, in the order in which they were made."""
        with self._farm.store.transaction(self._farm.clock()) as tx:
            webhooks = tx.webhooks()
        return [self._view(webhook) for webhook in webhooks]

    def gauges(self) -> list[WebhookGauges]:
        """How far each was told, for who measures it."""
        newest = self._farm.feed.seq
        return [
            WebhookGauges(webhook, max(0, newest - self._dispatcher.told(webhook).told))
            for webhook in self._farm.store.webhooks()
        ]

    def one(self, webhook_id: str) -> WebhookView:
        """One; `unknown_webhook`."""
        with self._farm.store.transaction(self._farm.clock()) as tx:
            webhook = self._require(tx, webhook_id)
        return self._view(webhook)

    def deliveries(self, webhook_id: str, limit: int) -> list[Try]:
        """The newest requests to its receiver, newest first; `unknown_webhook`."""
        self.one(webhook_id)
        return self._book.tries(webhook_id, limit)

    def pause(self, caller: Caller, webhook_id: str) -> WebhookView:
        """Tell it nothing more until it is resumed; what happens meanwhile waits."""
        return self._change(caller, webhook_id, commands.StopWebhook(WebhookStatus.PAUSED, PAUSED_BY_HAND))

    def resume(self, caller: Caller, webhook_id: str) -> WebhookView:
        """Tell it what it was not told yet, at once, whatever it was held back for, or waits for."""
        self._change(caller, webhook_id, commands.ResumeWebhook())
        self._book.forgive(webhook_id)
        self._wake()
        return self.one(webhook_id)

    def rotate(self, caller: Caller, webhook_id: str, overlap: float) -> tuple[WebhookView, str]:
        """Give it another secret; it, and the secret."""
        view = self._change(caller, webhook_id, commands.RotateWebhook(overlap))
        return view, self._secret(view.webhook)

    def replay(
        self, caller: Caller, webhook_id: str, fields: Mapping[str, Any]
    ) -> tuple[WebhookView, str | None]:
        """Tell it again: everything since a number or a time, or one event.

        It, and the message's id if it is one event.
        """
        if len(fields) != 1:
            raise problems.INVALID(
                "Give one of: since_seq, since, delivery_id.",
                errors=[{"field": "since_seq", "message": "Give one of: since_seq, since, delivery_id."}],
            )
        if "delivery_id" in fields:
            return self._once_more(webhook_id, fields["delivery_id"])
        newest = self.one(webhook_id).newest
        if "since" in fields:
            after = self._before(_moment(fields["since"]), newest)
        elif fields["since_seq"] > newest + 1:
            raise problems.invalid_field("since_seq", f"The newest event has the number {newest}.")
        else:
            after = fields["since_seq"] - 1
        self._change(caller, webhook_id, commands.ReplayWebhook(after))
        self._book.set_back(webhook_id, after)
        self._wake()
        return self.one(webhook_id), None

    def test(self, webhook_id: str) -> tuple[WebhookView, str]:
        """Send it a request that tells of nothing, once; and the message's id."""
        view = self.one(webhook_id)
        message_id = f"msg_{webhook_id}_test_{new_id()}"
        self._wish(webhook_id, message_id, None)
        return view, message_id

    def remove(self, caller: Caller, webhook_id: str) -> None:
        """Remove it; `unknown_webhook`."""
        with self._farm.store.transaction(self._farm.clock(), caller.actor) as tx:
            webhook = self._require(tx, webhook_id)
            self._farm.decide(tx, commands.RemoveWebhook(), webhook=webhook)
        self._wake()

    def _receiver(self, text: str) -> Url:
        try:
            url = parse_url(text)
            judged(url.origin, self._world)
        except (InputError, RefusedError) as error:
            raise problems.invalid_field("url", f"Cannot be a receiver: {error}.") from error
        except NoAddressError as error:
            log.info("a webhook is made for a receiver that cannot be found yet: %s", error)
        return url

    def _once_more(self, webhook_id: str, delivery_id: int) -> tuple[WebhookView, str]:
        view = self.one(webhook_id)
        found = [each for each in self._book.tries(webhook_id, KEPT_TRIES) if each.id == delivery_id]
        if not found:
            raise problems.invalid_field(
                "delivery_id", f"There is no delivery {delivery_id} of this webhook, or none any more."
            )
        self._wish(webhook_id, found[0].message_id, found[0].seq)
        return view, found[0].message_id

    def _wish(self, webhook_id: str, message_id: str, seq: int | None) -> None:
        if not self._book.wish(webhook_id, message_id, seq):
            raise problems.TOO_MANY(
                f"{KEPT_WISHES} requests that were asked for wait to be sent to this receiver already."
            )
        self._wake()

    def _before(self, moment: datetime, newest: int) -> int:
        """The number of the newest event before `moment`; 0 if there is none any more."""
        place: int | None = newest + 1
        while place is not None:
            page = self._farm.store.trail.page(place, 1, Wanted(until=moment))
            if page.entries:
                return int(page.entries[0]["seq"])
            place = page.next
        return 0

    def _change(self, caller: Caller, webhook_id: str, command: commands.WebhookCommand) -> WebhookView:
        with self._farm.store.transaction(self._farm.clock(), caller.actor) as tx:
            self._farm.decide(tx, command, webhook=self._require(tx, webhook_id))
            webhook = self._require(tx, webhook_id)
        return self._view(webhook)

    def _require(self, tx: Transaction, webhook_id: str) -> Webhook:
        webhook = tx.webhook(webhook_id)
        if webhook is None:
            raise problems.UNKNOWN_WEBHOOK(f"There is no webhook {webhook_id!r}. GET /webhooks lists them.")
        return webhook

    def _secret(self, webhook: Webhook) -> str:
        return signing.render(signing.secret(self._key, webhook.id, webhook.generation))

    def _view(self, webhook: Webhook) -> WebhookView:
        standing = self._dispatcher.told(webhook)
        last = self._book.tries(webhook.id, 1)
        return WebhookView(webhook, standing, self._farm.store.history, last[0] if last else None)


def _moment(text: str) -> datetime:
    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise problems.invalid_field("since", str(error)) from error
