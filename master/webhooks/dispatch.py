"""Tells each webhook what happens: in order, at least once, and none held up by another.

Each webhook that has something to be told has a thread of its own for as long, of which there are as many as
there may be webhooks. Nothing here is on the way of a request: the feed only says that there is news.

Of masters that share a store one tells; if it ends, another goes on by the book that they share.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from common.inputs import parse_url
from common.model import Webhook, WebhookStatus
from common.problems import Problem
from master.feed import Heard
from master.lifecycle import commands
from master.lifecycle.audit import Entry
from master.service.farm import Farm
from master.webhooks import message, patience, signing
from master.webhooks.book import Book, Standing, Try, Wish
from master.webhooks.post import Line, Outcome, Surroundings

log = logging.getLogger(__name__)

STRETCH = 100
"""Events that are looked at at once."""
PACE = 0.1
"""Seconds between two rounds at least."""
LONGEST_REST = 60.0
"""Seconds between two rounds at most: the wall clock may be set meanwhile."""
PARTING = 2.0
"""Seconds that requests under way get when the master ends; who took one that late gets it again."""
_AGAIN = 1.0
"""Seconds until the records are asked again that could not be read."""
_SKIPPED = 1000
"""Events that nobody wants are noted only so often: after a crash they are looked at again."""
_LOOK = 1.0
"""Seconds between two looks whether this is the master that tells, and between two notes for the others."""
_CHORE = TOPIC = "webhooks"
"""What that master leads in; and the topic under which it hears that something is to be told otherwise."""


class Dispatcher:
    """What is told to whom, and when."""

    def __init__(
        self,
        farm: Farm,
        book: Book,
        key: bytes,
        documents: message.Documents,
        world: Surroundings,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Nothing is sent before `start`. `chance`: from 0 to 1, for the pauses between tries."""
        self._farm, self._feed, self._book, self._key = farm, farm.feed, book, key
        self._documents, self._world, self._chance = documents, world, chance
        self._news = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._at_work: dict[str, threading.Thread] = {}
        self._skipped: dict[str, tuple[int, int]] = {}
        """By webhook: how often it was set back, and up to which number it wants nothing, noted or not."""
        self._noted = 0.0
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin, in the process that serves; behind what was told before."""
        if self._book.is_new:
            self._begin_anew()
        self._feed.subscribe(self._heard)
        self._farm.store.talk.hear(TOPIC, lambda _: self._news.set())
        self._thread.start()

    def wake(self) -> None:
        """Something is to be told, or told otherwise, by whichever master tells."""
        self._news.set()
        self._farm.store.talk.say(TOPIC)

    def stop(self) -> None:
        """Send nothing more; what is under way has a moment to end."""
        self._stop.set()
        self._news.set()
        self._thread.join()
        with self._lock:
            threads = list(self._at_work.values())
        for thread in threads:
            thread.join(PARTING / len(threads))

    def _begin_anew(self) -> None:
        """Webhooks without a book, as after a restore: nobody knows what they were told. They begin here."""
        for webhook in self._farm.store.webhooks():
            self._book.begin(webhook.id, self._feed.seq)
            log.warning(
                "how far webhook %s was told is not known: it is told what happens from now on; "
                "to tell it more: ffrtmp webhooks replay",
                webhook.id,
            )

    def _heard(self, _: Sequence[Heard]) -> None:
        self._news.set()

    def _run(self) -> None:
        rest = 0.0
        while not self._stop.is_set():
            self._news.wait(rest)
            self._news.clear()
            try:
                rest = self._round()
            except Problem as problem:  # such as a database that cannot be reached
                log.warning("webhooks are not told; it is tried again: %s", problem)
                rest = _AGAIN
            except Exception:
                log.exception("webhooks are not told; it is tried again")
                rest = LONGEST_REST
            self._stop.wait(PACE)

    def _round(self) -> float:
        """Give all a thread that have something to be told; the seconds until the next must be tried."""
        if not self._leads():
            return _LOOK
        webhooks = self._farm.store.webhooks()
        self._book.keep_only([webhook.id for webhook in webhooks])
        rest = self._note_for_others(webhooks) if self._farm.store.shared else LONGEST_REST
        now = self._farm.clock().wall.timestamp()
        for webhook in webhooks:
            with self._lock:
                busy = webhook.id in self._at_work
            if busy or not self._has_news(webhook):
                continue
            standing = self._standing(webhook)
            left = patience.wait(standing.next_try, now) if standing.next_try is not None else 0.0
            if left > 0 and self._book.next_wish(webhook.id) is None:
                rest = min(rest, left)
                continue
            self._put_to_work(webhook.id)
        return rest

    def _leads(self) -> bool:
        """Whether this is the master that tells."""
        return self._farm.store.leads(_CHORE)

    def _note_for_others(self, webhooks: Sequence[Webhook]) -> float:
        """Now and then, what is told only to who wants it: other masters show it, and go on from there.

        The seconds until the next round.
        """
        now = time.monotonic()
        if now - self._noted >= _LOOK:
            self._noted = now
            for webhook in webhooks:
                standing = self._standing(webhook)
                reached = self._reached(webhook.id, standing)
                if reached > standing.told:
                    self._book.passed(webhook.id, reached, standing.replays)
        return _LOOK

    def _has_news(self, webhook: Webhook) -> bool:
        if webhook.status is WebhookStatus.ACTIVE:
            standing = self._standing(webhook)
            if self._reached(webhook.id, standing) < self._feed.seq:
                return True
        return self._book.next_wish(webhook.id) is not None

    def _standing(self, webhook: Webhook) -> Standing:
        standing = self._book.standing(webhook.id)
        if standing is None:
            self._book.begin(webhook.id, webhook.after)
            standing = Standing(webhook.after)
        return standing

    def told(self, webhook: Webhook) -> Standing:
        """How far a webhook is: it has, or does not want, all up to `told`."""
        standing = self._standing(webhook)
        return replace(standing, told=self._reached(webhook.id, standing))

    def _reached(self, webhook_id: str, standing: Standing) -> int:
        """Up to which number there is nothing more for it."""
        replays, seq = self._skipped.get(webhook_id, (standing.replays, 0))
        return max(standing.told, seq) if replays == standing.replays else standing.told

    def _put_to_work(self, webhook_id: str) -> None:
        thread = threading.Thread(target=self._work, args=(webhook_id,), name="webhook", daemon=True)
        with self._lock:
            self._at_work[webhook_id] = thread
        thread.start()

    def _work(self, webhook_id: str) -> None:
        try:
            with Line(self._world) as line:
                while not self._stop.is_set() and self._tell(webhook_id, line):
                    pass
        except sqlite3.Error as error:
            if not self._stop.is_set():
                log.error("webhook %s is not told: %s; it is tried again", webhook_id, error)  # noqa: TRY400 - the sentence says it all
                self._stop.wait(LONGEST_REST)
        except Problem as problem:
            log.warning("webhook %s is not told; it is tried again: %s", webhook_id, problem)
            self._stop.wait(_AGAIN)
        except Exception:
            log.exception("webhook %s is not told; it is tried again", webhook_id)
            self._stop.wait(LONGEST_REST)
        finally:
            with self._lock:
                del self._at_work[webhook_id]
            self._news.set()  # what came while it was at work

    def _tell(self, webhook_id: str, line: Line) -> bool:
        """Tell a webhook the next that it is to be told; False if there is nothing to tell now, or here."""
        webhook = self._farm.store.webhook(webhook_id)
        if webhook is None or not self._leads():
            return False
        wish = self._book.next_wish(webhook_id)
        if wish is not None:
            self._grant(webhook, wish, line)
            return True
        standing = self._standing(webhook)
        now = self._farm.clock().wall.timestamp()
        if webhook.status is not WebhookStatus.ACTIVE:
            return False
        if standing.next_try is not None and patience.wait(standing.next_try, now) > 0:
            return False
        entry = self._next(webhook, standing)
        if entry is None:
            return False
        return self._deliver(webhook, standing, entry, line)

    def _next(self, webhook: Webhook, standing: Standing) -> Entry | None:
        """The next event that it wants; what it does not want is passed over."""
        place = self._reached(webhook.id, standing)
        while not self._stop.is_set():
            stretch = self._feed.after(place, STRETCH)
            if stretch.lost is not None:
                log.warning("webhook %s: events up to %d cannot be told any more", webhook.id, stretch.lost)
            for heard in stretch.heard:
                if message.wanted(webhook, heard.entry["event"]):
                    self._skip(webhook.id, standing, place)
                    wanted: Entry = heard.entry
                    return wanted
                place = heard.seq
            if stretch.reached <= place and not stretch.heard:
                self._skip(webhook.id, standing, place)
                return None
            place = max(place, stretch.reached)
            self._skip(webhook.id, standing, place)
        return None

    def _skip(self, webhook_id: str, standing: Standing, place: int) -> None:
        self._skipped[webhook_id] = (standing.replays, place)
        if place - standing.told >= _SKIPPED:
            self._book.passed(webhook_id, place, standing.replays)

    def _deliver(self, webhook: Webhook, standing: Standing, entry: Entry, line: Line) -> bool:
        seq = entry["seq"]
        message_id = message.message_id(webhook.id, seq)
        begun, outcome = self._send(line, webhook, message_id, self._about(entry))
        number = standing.failures + 1
        if outcome.taken:
            found = _try(message_id, seq, entry["event"], number, begun, outcome, None)
            self._book.taken(webhook.id, found, standing.replays)
            return True
        since = begun if standing.failing_since is None else standing.failing_since
        next_try = begun + outcome.duration + patience.pause(number, self._chance(), outcome.retry_after)
        found = _try(message_id, seq, entry["event"], number, begun, outcome, next_try)
        self._book.failed(webhook.id, found, since, standing.replays)
        log.info("webhook %s: event %d was not taken: %s", webhook.id, seq, outcome.error)
        if outcome.gone:
            self._give_up(webhook, WebhookStatus.PAUSED, "its receiver answered 410: it wants nothing more")
        elif patience.is_given_up(number, begun - since):
            days = (begun - since) / 86400
            reason = f"it has taken nothing for {days:.1f} days; at last: {outcome.error}"
            self._give_up(webhook, WebhookStatus.DISABLED, reason)
        return False

    def _give_up(self, webhook: Webhook, status: WebhookStatus, reason: str) -> None:
        log.warning("webhook %s is %s: %s", webhook.id, status, reason)
        with self._farm.store.transaction(self._farm.clock()) as tx:
            current = tx.webhook(webhook.id)
            if current is not None:
                self._farm.decide(tx, commands.StopWebhook(status, reason), webhook=current)

    def _grant(self, webhook: Webhook, wish: Wish, line: Line) -> None:
        """Send once what a person asked for."""
        if wish.seq is None:
            event, body = message.TEST, message.test(webhook.id, self._farm.clock().wall)
        else:
            heard = self._feed.after(wish.seq - 1, 1).heard
            if not heard or heard[0].seq != wish.seq:
                log.warning("webhook %s: event %d cannot be told any more", webhook.id, wish.seq)
                self._book.wish_done(webhook.id, wish.id, None)
                return
            event, body = heard[0].entry["event"], self._about(heard[0].entry)
        begun, outcome = self._send(line, webhook, wish.message_id, body)
        found = _try(wish.message_id, wish.seq, event, 1, begun, outcome, None)
        self._book.wish_done(webhook.id, wish.id, found)

    def _about(self, entry: Entry) -> bytes:
        """The body about an event, with its job as it is now: on disk, as all that is told."""
        documents: tuple[Any, Any] | None = None
        if entry["job_id"] is not None:
            with self._farm.store.transaction(self._farm.clock()) as tx:
                job = tx.job(entry["job_id"])
                view = None if job is None else self._farm.job_view(tx, job)
            documents = None if view is None else self._documents(view)
        return message.about(entry, documents)

    def _send(self, line: Line, webhook: Webhook, message_id: str, body: bytes) -> tuple[float, Outcome]:
        """When it was sent (seconds since 1970), and what came of it."""
        now = self._farm.clock().wall
        secrets = signing.valid_secrets(self._key, webhook, now)
        signed = signing.headers(secrets, message_id, int(now.timestamp()), body)
        outcome = line.post(parse_url(webhook.url), {**message.fixed_headers(), **signed}, body)
        self._farm.measures.told_webhook(webhook.id, taken=outcome.taken)
        return now.timestamp(), outcome


def _try(
    message_id: str,
    seq: int | None,
    event: str,
    number: int,
    at: float,
    outcome: Outcome,
    next_try: float | None,
) -> Try:
    return Try(message_id, seq, event, number, at, outcome.duration, outcome.status, outcome.error, next_try)
