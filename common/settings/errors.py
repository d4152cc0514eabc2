"""How settings are refused."""

from __future__ import annotations


class UnsuitableError(ValueError):
    """A parameter that does not fit the others; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
