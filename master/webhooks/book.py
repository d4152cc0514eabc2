"""How far each webhook has been told, and what came of the newest tries: it is kept where the records are.

It is no part of the state: what is told can be told again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

KEPT_TRIES = 200
"""Of each webhook."""
KEPT_WISHES = 100
"""Of each webhook: what people asked for and is not sent yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a webhook is."""

    told: int
    """The number of the last event that its receiver took, or did not want."""
    replays: int = 0
    """How often it was set back or forgiven: what was sent before that counts no more."""
    failures: int = 0
    """Tries in a row that failed."""
    failing_since: float | None = None
    """Seconds since 1970 (UTC)."""
    next_try: float | None = None
    """Seconds since 1970 (UTC); None: at once."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A request that a person asked for: it is tried once, whatever else is to be told."""

    id: int
    message_id: str
    seq: int | None
    """The event; None: none, it is a test."""


@dataclass(frozen=True, slots=True)
class Try:
    """A request, and what came of it."""

    message_id: str
    seq: int | None
    """The event; None: it was a test."""
    event: str
    number: int
    """Which try it was, from 1."""
    at: float
    """Seconds since 1970 (UTC)."""
    duration: float
    """Seconds."""
    status: int | None
    """The HTTP status; None: no answer came."""
    error: str | None
    """None: it was taken."""
    next_try: float | None
    """Seconds since 1970 (UTC); None: it is not tried again."""
    id: int = 0
    """Its number in the book."""


class Book(Protocol):
    """What is asked of it; several threads may, and all masters that share it.

    What is noted of an event counts only if the webhook was not set back meanwhile.
    """

    @property
    def is_new(self) -> bool:
        """Whether it knows of no webhook yet, even if there are some: a backup of a journal has no book."""

    def close(self) -> None:
        """Nothing more is asked of it."""

    def begin(self, webhook_id: str, told: int) -> None:
        """Let a webhook begin behind event number `told`, if the book does not know it yet."""

    def standing(self, webhook_id: str) -> Standing | None:
        """How far a webhook is; None if the book does not know it."""

    def passed(self, webhook_id: str, told: int, replays: int) -> None:
        """It wants nothing of what is up to `told`."""

    def taken(self, webhook_id: str, found: Try, replays: int) -> None:
        """Its receiver has the event; if it was set back meanwhile, it will get it again."""

    def failed(self, webhook_id: str, found: Try, since: float, replays: int) -> None:
        """Its receiver did not take the event; it has been failing `since` then (seconds since 1970)."""

    def forgive(self, webhook_id: str) -> None:
        """Try again at once, as if nothing had failed."""

    def set_back(self, webhook_id: str, told: int) -> None:
        """Let it go on behind event number `told`, at once."""

    def wish(self, webhook_id: str, message_id: str, seq: int | None) -> bool:
        """Note what a person asks for; False if too much of it waits already."""

    def next_wish(self, webhook_id: str) -> Wish | None:
        """The oldest that waits."""

    def wish_done(self, webhook_id: str, wish_id: int, found: Try | None) -> None:
        """It was tried; or (None) it is about nothing that could be sent."""

    def tries(self, webhook_id: str, limit: int) -> list[Try]:
        """The newest tries, newest first."""

    def keep_only(self, webhook_ids: Sequence[str]) -> None:
        """Forget all other webhooks."""
