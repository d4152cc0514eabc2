"""Whose turn it is, among submitters whose jobs of one priority wait. Pure.

Each submitter has one job in a round: who has a hundred thousand that wait and who has three take turns.
Jobs of operators, which have no owner, are one submitter's. Who comes, or comes back, begins with the round
that is under way, so nobody saves turns up. How long a job takes is not counted, and a part is a job.
"""

from __future__ import annotations

from collections.abc import Mapping


class Rounds:
    """The round that each submitter is in; a number for each of them, and none for a job."""

    def __init__(self, now: int = 0, following: Mapping[str | None, int] | None = None) -> None:
        """Where it goes on: the round that is under way, and those of submitters' next jobs."""
        self._now = now
        self._next: dict[str | None, int] = dict(following or {})

    def of(self, owner: str | None) -> int:
        """The round of the submitter's next job: who is in a lower one goes first. It never falls."""
        return max(self._now, self._next.get(owner, 0))

    def given(self, owner: str | None) -> None:
        """A node was given a job of this submitter."""
        self._now = self.of(owner)
        self._next[owner] = self._now + 1

    def end(self) -> None:
        """Nobody waits any more: it begins anew."""
        self._now = 0
        self._next.clear()
