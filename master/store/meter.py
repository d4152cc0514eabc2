"""Is told how long the steps of the store took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _ignore(_seconds: float) -> None:
    """Nobody asks."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Each is called with seconds, when the lock is free again, by the thread that took the step."""

    waited: Callable[[float], None] = _ignore
    """For the lock."""
    held: Callable[[float], None] = _ignore
    """The lock."""
    synced: Callable[[float], None] = _ignore
    """One fdatasync of the journal."""


UNMETERED = Meter()
