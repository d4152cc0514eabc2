"""The job of RQ, which must stand in a module of its own."""

from __future__ import annotations


def nothing(number: int) -> int:
    """Does nothing; the result is kept."""
    return number
