"""What prevents a store from being used."""

from __future__ import annotations

from common.problems import UNAVAILABLE, Problem


class StoreError(Exception):
    """The database cannot be used; a sentence says why, and what to do."""


class CollisionError(Problem):
    """`unavailable`: somebody else changed what a transaction was about.

    Nothing of the transaction is kept, nobody was told of it, and the same may go well the next time.
    """

    def __init__(self, what: str) -> None:
        """`what` was changed."""
        super().__init__(
            UNAVAILABLE, f"{what} was changed by somebody else just now. Nothing was done; ask again.", {}
        )
