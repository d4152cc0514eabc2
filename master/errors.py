"""Errors that end the master before, or instead of, serving."""

from __future__ import annotations


class StartError(Exception):
    """The master cannot start; the message is one line and says what to do."""
