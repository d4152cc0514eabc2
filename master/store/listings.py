"""Jobs in listing order: everybody's, each submitter's, and each status's; parts apart from whole jobs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain, islice
from typing import Generic, TypeVar

from common.model import Job
from master.store.ordered import Ordered

ListingKey = tuple[int, int]
"""Unfinished jobs come first, oldest first; then the finished ones, newest first."""

Name = TypeVar("Name", bound=Hashable)


def listing_key(job: Job) -> ListingKey:
    """The place of `job` in listings. It moves once only: when the job is finished."""
    return (1, -job.seq) if job.status.final else (0, job.seq)


class _Listing:
    """The jobs of one listing, by `seq`."""

    __slots__ = ("finished", "unfinished")

    def __init__(self) -> None:
        self.unfinished: Ordered[int] = Ordered()
        self.finished: Ordered[int] = Ordered()

    def __len__(self) -> int:
        return len(self.unfinished) + len(self.finished)


class Listings(Generic[Name]):
    """Jobs, by their `seq`, in listings with names; one that became empty is gone."""

    def __init__(self) -> None:
        self._by_name: dict[Name, _Listing] = {}

    def __len__(self) -> int:
        """How many listings there are."""
        return len(self._by_name)

    def add(self, name: Name, seq: int, *, final: bool) -> None:
        """Put a job into a listing that it is not in; `final`: it is finished."""
        listing = self._by_name.get(name)
        if listing is None:
            listing = self._by_name[name] = _Listing()
        (listing.finished if final else listing.unfinished).add(seq)

    def discard(self, name: Name, seq: int, *, final: bool) -> None:
        """Take a job out of a listing, if it is in it, as it was put there."""
        listing = self._by_name.get(name)
        if listing is not None:
            (listing.finished if final else listing.unfinished).discard(seq)
            if not (listing.unfinished or listing.finished):
                del self._by_name[name]

    def settle(self) -> None:
        """Sort in what came."""
        for listing in self._by_name.values():
            listing.unfinished.settle()
            listing.finished.settle()

    def count(self, names: Iterable[Name]) -> int:
        """How many jobs some listings have, which have none in common."""
        return sum(len(self._by_name[name]) for name in names if name in self._by_name)

    def page(
        self, names: Sequence[Name], after: ListingKey | None = None, limit: int | None = None
    ) -> list[int]:
        """Up to `limit` jobs (None: all) behind `after` of some listings, as if they were one."""
        listings = [self._by_name[name] for name in names if name in self._by_name]
        unfinished = merge(*(_unfinished(each.unfinished, after) for each in listings))
        finished = merge(*(_finished(each.finished, after) for each in listings), reverse=True)
        return list(islice(chain(unfinished, finished), limit))


def _unfinished(seqs: Ordered[int], after: ListingKey | None) -> Iterator[int]:
    """Those behind `after`: their keys are (0, seq)."""
    if after is None or after[0] < 0:
        return iter(seqs)
    return seqs.above(after[1]) if after[0] == 0 else iter(())


def _finished(seqs: Ordered[int], after: ListingKey | None) -> Iterator[int]:
    """Those behind `after`: their keys are (1, -seq)."""
    if after is None or after[0] < 1:
        return seqs.below(None)
    return seqs.below(-after[1]) if after[0] == 1 else iter(())


class Families:
    """The ids of the parts of each job that has some."""

    def __init__(self) -> None:
        self._parts: dict[str, set[str]] = {}

    def add(self, job: Job) -> None:
        """Note `job` as a part of its parent, if it has one."""
        if job.parent_id is not None:
            self._parts.setdefault(job.parent_id, set()).add(job.id)

    def discard(self, job: Job) -> None:
        """Forget `job` as a part."""
        others = self._parts.get(job.parent_id or "", set())
        others.discard(job.id)
        if not others:
            self._parts.pop(job.parent_id or "", None)

    def parts(self, job_id: str) -> Iterable[str]:
        """The ids of the parts of a job, in any order."""
        return self._parts.get(job_id, ())
