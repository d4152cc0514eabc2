"""What prevents a store from being used."""

from __future__ import annotations


class StoreError(Exception):
    """The database cannot be used; a sentence says why, and what to do."""
