"""Moves all records and the whole history from one store to another: docs/decisions/0062 says how and why."""
