"""How values of any kind are written, as parameters and metrics have them. Pure."""

from __future__ import annotations

from typing import Any

from master.api.dashboard.words import UNKNOWN

DIGITS = 6
"""Significant ones of a number that is none of whole ones."""


def written(value: Any) -> str:
    """A value for people: unknown is a dash, and a list has commas between."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else _fraction(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(written, value))
    return str(value)


def _fraction(value: float) -> str:
    """With as many decimals as its size leaves of the digits that say something."""
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    text = f"{value:,.{max(0, DIGITS - whole)}f}".rstrip("0").rstrip(".")
    return text if text.strip("-0.") else f"{value:.3g}"
