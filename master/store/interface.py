"""What a store offers: the one way in which the rest of the master reads and changes what is kept.

The rules are no store's: it looks records up, keeps others away while a rule decides on them, and records
what was decided. `master.store.memory` keeps all in this process (one master), and what else fulfils these
protocols is used in just the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from common.model import (
    MASTER,
    Actor,
    FarmState,
    Job,
    JobStatus,
    Load,
    Node,
    Now,
    Priority,
    Progress,
    Token,
    Webhook,
)
from master.files.index import FileIndex
from master.lifecycle.events import Event
from master.lifecycle.view import Links
from master.store.between import Coming, Talk
from master.store.listings import ListingKey
from master.store.recent import Ended
from master.store.samples import Sample
from master.store.sessions import SessionBook
from master.store.settling import Ticket
from master.store.told import Listener
from master.store.trail import Onward, Page, Wanted
from master.webhooks.book import Book

Held = TypeVar("Held", Job, Node, Token, Webhook)


class Transaction(Protocol):
    """What a verb may ask of the store, and the one way to change it."""

    now: Now
    """When it is, on the clocks that leases and backoffs run on here."""

    def hold(self, records: Sequence[Held]) -> list[Held]:
        """The records as they are now, in the same order; nobody else changes them before this has ended.

        To be asked before a rule decides on them. What was read before may be out of date: others change
        things too, unless the store lets one transaction in at a time. `unavailable` if one has gone.
        """

    def reserve(self, job: Job) -> bool:
        """Hold a pending job that is about to be given to a node; False if somebody else just does that.

        Then `candidates` has the next of its kind in its place. It never waits.
        """

    def job(self, job_id: str) -> Job | None:
        """The job with this id."""

    def farm(self) -> FarmState:
        """What holds for the whole farm."""

    def history(self) -> int:
        """How many events were recorded since the beginning."""

    def by_key(self, key: str) -> list[Job]:
        """The jobs that were submitted with this `Idempotency-Key`.

        Until this has ended, nobody else submits with it.
        """

    def children(self, job_id: str) -> list[Job]:
        """The parts of a job, in the order of their submission."""

    def head(self, job: Job) -> Job:
        """The job that the whole family of `job` belongs to; a job of no family is its own."""

    def dependents(self, job_id: str) -> list[Job]:
        """All jobs that depend on a job, in the order of their submission."""

    def awaited(self, job: Job, limit: int) -> tuple[list[Job], int]:
        """Up to `limit` of the jobs that a waiting job depends on and that are not completed; the number."""

    def is_kept(self, job: Job) -> bool:
        """Whether an unfinished job depends on this one, or on one of its parts."""

    def retries(self, job_id: str) -> list[Job]:
        """All jobs that repeat a job, those that repeat these, and so on, in the order of submission."""

    def links(self) -> Links:
        """Which jobs depend on which, for the rules."""

    def beginning_with(self, prefix: str) -> list[Job]:
        """The jobs whose ids begin so."""

    def family(self, *jobs: Job) -> tuple[Job, ...]:
        """All jobs of the families that `jobs` belong to; empty if none of them belongs to one."""

    def bound(self) -> list[Job]:
        """The unfinished jobs that are parts of others, or wait for others."""

    def node(self, node_id: str) -> Node | None:
        """The node with this id."""

    def nodes(self) -> list[Node]:
        """All nodes, in the order of their registration."""

    def token(self, token_id: str) -> Token | None:
        """The token with this id."""

    def tokens(self) -> list[Token]:
        """All tokens, in the order in which they were made."""

    def webhook(self, webhook_id: str) -> Webhook | None:
        """The webhook with this id."""

    def webhooks(self) -> list[Webhook]:
        """All webhooks, in the order in which they were made."""

    def held(self, node_id: str) -> tuple[Job, ...]:
        """The jobs that run on a node."""

    def recent(self, node_id: str) -> list[Ended]:
        """The newest attempts that ended on a node, newest first."""

    def standings(self) -> Iterator[tuple[Node, tuple[Job, ...]]]:
        """All nodes, each with the jobs that run on it."""

    def running(self) -> list[Job]:
        """All jobs that run."""

    def running_parts(self) -> list[Job]:
        """Of these, the parts of other jobs."""

    def candidates(self, node: Node, but_of: Collection[str] = ()) -> Iterator[Job]:
        """Pending jobs that `node` meets the constraints of: the first of each kind.

        `but_of`: jobs whose parts are left out.
        """

    def released(self) -> list[Job]:
        """Jobs whose backoff ended just now."""

    def waiting(self, priority: Priority) -> tuple[int, Job | None]:
        """How many jobs of a priority wait for a node, and which of them was submitted first."""

    def kinds(self, limit: int) -> list[tuple[Job, int]]:
        """Up to `limit` kinds of jobs that wait without a backoff: the first of each, and how many."""

    def finished_last(self, limit: int) -> list[Job]:
        """Up to `limit` finished jobs, the last one first; parts are with their parents."""

    def ready_in(self, job_id: str) -> float:
        """Seconds that a pending job's backoff still lasts."""

    def reason(self, job: Job) -> str:
        """Why `job` waits, which has no backoff: the same for all jobs with its constraints."""

    def page(
        self,
        status: JobStatus | None,
        after: ListingKey | None,
        limit: int,
        owner: str | None = None,
        *,
        whole: bool = False,
    ) -> list[Job]:
        """Jobs in listing order; of one owner, if there is one; `whole`: without parts."""

    def results_page(
        self, after: ListingKey | None, limit: int, owner: str | None = None, *, whole: bool = False
    ) -> tuple[list[Job], int]:
        """Completed and failed jobs, newest first, and how many there are; of one owner, if there is one.

        `whole`: without parts.
        """

    def finished_before(self, moment: datetime, limit: int) -> tuple[list[Job], int]:
        """Jobs that were finished before `moment`, oldest first, and how many there are."""

    def count(self, status: JobStatus | None = None, owner: str | None = None, *, whole: bool = False) -> int:
        """How many jobs there are; `whole`: without parts."""

    def referring_to(self, sha256: str) -> list[Job]:
        """The jobs that refer to a file of the file store."""

    def next_seq(self, count: int = 1) -> int:
        """The place in the queue that the next submitted job gets, of `count` in a row that are free."""

    def record(self, events: Sequence[Event]) -> None:
        """Keep `events` and what they make of the records: all, or none and `unavailable`."""


class SampleBook(Protocol):
    """How busy nodes were lately."""

    def add(self, node_id: str, taken: Sample) -> None:
        """The newest of a node."""

    def load(self, node_id: str) -> Load | None:
        """The newest load of a node; None if it did not say."""

    def of(self, node_id: str) -> list[Sample]:
        """What is kept of a node, oldest first."""


class Liveness(Protocol):
    """Signs of life: heartbeats, lease renewals and progress. They may be lost, and then have just come."""

    @property
    def samples(self) -> SampleBook:
        """What nodes said of their load."""

    def hear(self, node_id: str, now: Now) -> None:
        """A node gave a sign of life."""

    def last_heard(self, node_id: str) -> datetime | None:
        """When a node was heard last; None if nobody knows."""

    def silence(self, node_id: str, now: Now) -> float:
        """Seconds since a node was heard; asking starts the count."""

    def start_anew(self) -> None:
        """Nobody could be heard for a while, by no fault of theirs: each node and lease gets a full term."""

    def renew(self, lease_id: str, now: Now) -> None:
        """A lease was heard of."""

    def lease_age(self, lease_id: str, now: Now) -> float:
        """Seconds since a lease was given or renewed; asking starts the count."""

    def set_progress(self, lease_id: str, progress: Progress, now: Now) -> Progress:
        """The attempt with this lease has just said that it is so far; what is shown of it."""

    def progress(self, lease_id: str, now: Now) -> Progress | None:
        """How far the attempt with this lease is by now, if it said so."""

    def forget_lease(self, lease_id: str) -> None:
        """The attempt ended."""

    def forget_node(self, node_id: str) -> None:
        """The node was removed."""


class History(Protocol):
    """The events of the history as the audit's entries."""

    def page(self, before: int, limit: int, wanted: Wanted) -> Page:
        """Up to `limit` entries with numbers below `before`. It may be short, or empty, before the end."""

    def after(self, seq: int, upto: int, limit: int, wanted: Wanted) -> Onward:
        """Up to `limit` entries with numbers above `seq`, up to `upto`. It may be short before the end."""

    def remove_before(self, moment: datetime) -> int:
        """Let go of what nothing was added to since `moment`; how many files or entries that were."""


class Store(Protocol):
    """The records, durable: what was answered stays."""

    @property
    def history(self) -> int:
        """How many events the disk holds, as far as anybody was told: it is never shorter than this."""

    @property
    def shared(self) -> bool:
        """Whether other masters may use it as well, and no file of it can be damaged and repaired."""

    @property
    def first(self) -> bool:
        """Whether no other master used it when this one opened it."""

    @property
    def liveness(self) -> Liveness:
        """Signs of life."""

    @property
    def trail(self) -> History:
        """What happened."""

    @property
    def files(self) -> FileIndex | None:
        """What is known of the stored files, if other masters have to know; None: whoever has them does."""

    @property
    def talk(self) -> Talk:
        """With the other masters that use it."""

    @property
    def coming(self) -> Coming:
        """Which logs they are about to write to."""

    @property
    def sessions(self) -> SessionBook:
        """Who is signed in with a browser."""

    def open_book(self, directory: Path) -> Book:
        """How far webhooks were told, for this store and all who share it.

        `directory`: where it is kept if the store has no better place. OSError or sqlite3.Error if it cannot
        be.
        """

    def transaction(self, now: Now, actor: Actor = MASTER) -> AbstractContextManager[Transaction]:
        """Decide and record: all or nothing. When it has ended, all that was seen is on disk.

        `now`: what the caller's clock says. `actor`: who brings about what is recorded.
        """

    def open_ticket(self) -> Ticket | None:
        """From now on, in this context, transactions do not wait for the disk (`master.store.settling`).

        None: they do, and whoever asks waits.
        """

    def on_settled(self, hearer: Callable[[], None]) -> None:
        """Call `hearer`, in another thread, whenever tickets may be settled."""

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with each transaction that recorded something, once it is on disk.

        Of two transactions, the later one may be told first.
        """

    def node_with_credential(self, digest: str) -> Node | None:
        """The node whose credential has this SHA-256."""

    def token_with_secret(self, digest: str) -> Token | None:
        """The token whose secret has this SHA-256."""

    def owner_of(self, job_id: str) -> str | None:
        """Whose a job is; None if it is nobody's, or is not among the records."""

    def job(self, job_id: str) -> Job | None:
        """The job as it is now."""

    def webhook(self, webhook_id: str) -> Webhook | None:
        """The webhook with this id."""

    def webhooks(self) -> list[Webhook]:
        """All webhooks."""

    def exclusive(self, name: str) -> AbstractContextManager[None]:
        """Be alone under `name`, among all masters, for what no transaction can do, as with files.

        The same thread may take the same name once more, and other names. Not to be taken within a
        transaction: whoever is alone may need one. `unavailable` if it cannot be known.
        """

    def leads(self, task: str) -> bool:
        """Whether this master is the one that does a chore just now; to be asked at each look.

        Once it is, it stays so as long as it lives and is connected. What must not be done twice needs
        `exclusive` too: a master may hear a moment late that it leads no more.
        """

    def tidy(self, now: Now) -> None:
        """Now and then: what the store has to do for itself."""

    def close(self) -> None:
        """End, and keep all that was answered."""
