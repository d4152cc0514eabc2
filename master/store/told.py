"""What those hear who listen to the store: the events of one transaction, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.model import Actor, Job
from master.lifecycle.apply import Changes
from master.lifecycle.events import Event


@dataclass(frozen=True, slots=True)
class Told:
    """One transaction that is on disk. Transactions may be told out of order: see `master.feed`."""

    before: int
    """How long the history was before it. Its first event has the next number, unless that one rewinds
    the history: `master.store.snapshot.length_after` numbers them."""
    after: int
    """How long the history is after it: the number of its last event."""
    events: Sequence[Event]
    actor: Actor
    """Who brought them about."""
    at: datetime
    """The wall time of the transaction."""
    owners: Mapping[str, str | None]
    """By the ids of the jobs that the events speak of: the submitter whom each belongs to, or belonged to."""


Listener = Callable[[Told], None]


def owners_in(known: Mapping[str, Job], events: Iterable[Event], changes: Changes) -> dict[str, str | None]:
    """Whose the jobs are that `events` speak of, which bring `changes` about and are not applied yet.

    A job that leaves is still `known`, and a new one is among the changes.
    """
    found: dict[str, str | None] = {}
    for key in {event.key for event in events}:
        kind, job_id = key
        if kind is Job:
            job = known.get(job_id) or changes.get(key)
            found[job_id] = job.owner if isinstance(job, Job) else None
    return found
