"""Jobs in listing order: everybody's, each submitter's, and each status's; parts apart from whole jobs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Generic, TypeVar

from sortedcontainers import SortedDict

from common.model import Job

ListingKey = tuple[int, int]
"""Unfinished jobs come first, oldest first; then the finished ones, newest first."""

Name = TypeVar("Name", bound=Hashable)


def listing_key(job: Job) -> ListingKey:
    """The place of `job` in listings. It moves once only: when the job is finished."""
    return (1, -job.seq) if job.status.final else (0, job.seq)


class Listings(Generic[Name]):
    """The ids of jobs in listings with names; one that became empty is gone."""

    def __init__(self) -> None:
        self._by_name: dict[Name, SortedDict] = {}

    def __len__(self) -> int:
        """How many listings there are."""
        return len(self._by_name)

    def add(self, name: Name, job: Job) -> None:
        """Put `job` into a listing."""
        self._by_name.setdefault(name, SortedDict())[listing_key(job)] = job.id

    def discard(self, name: Name, job: Job) -> None:
        """Take `job` out of a listing, if it is in it."""
        listing = self._by_name.get(name, {})
        listing.pop(listing_key(job), None)
        if not listing:
            self._by_name.pop(name, None)

    def count(self, names: Iterable[Name]) -> int:
        """How many jobs some listings have, which have none in common."""
        return sum(len(self._by_name.get(name, ())) for name in names)

    def ids(
        self, names: Sequence[Name], after: ListingKey | None = None, limit: int | None = None
    ) -> list[str]:
        """Up to `limit` jobs (None: all) behind `after` of some listings, as if they were one."""
        found = merge(*(self._behind(name, after) for name in names if name in self._by_name))
        return [job_id for _, job_id in islice(found, limit)]

    def _behind(self, name: Name, after: ListingKey | None) -> Iterator[tuple[ListingKey, str]]:
        listing = self._by_name[name]
        keys: Iterator[ListingKey] = listing.irange(minimum=after, inclusive=(False, True))
        return ((key, listing[key]) for key in keys)


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
