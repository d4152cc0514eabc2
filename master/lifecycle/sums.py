"""What several jobs took together: their metrics, added up. Unknown is None. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from common.model import Scalar

Metrics = Mapping[str, Scalar]

USED = ("cpu_seconds", "energy_joules", "energy_idle_joules", "energy_net_joules", "cost")
"""What is used up: of several encodes it is the sum."""
ALIKE = ("currency", "cost_basis", "energy_source", "energy_note", "ffmpeg_version", "encoder")
"""Metrics that hold for all together where each has the same."""


def number(metrics: Metrics, name: str) -> float | None:
    """A metric that is a number."""
    value = metrics.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def summed(known: Sequence[Metrics], names: Iterable[str]) -> dict[str, Scalar]:
    """The sums; None where one of them does not know."""
    found: dict[str, Scalar] = {}
    for name in names:
        values = [number(metrics, name) for metrics in known]
        whole = [value for value in values if value is not None]
        found[name] = round(sum(whole), 6) if whole and len(whole) == len(values) else None
    return found


def largest(known: Sequence[Metrics], name: str) -> int | None:
    """The largest of those that know."""
    most = [value for metrics in known if (value := number(metrics, name)) is not None]
    return int(max(most)) if most else None


def alike(known: Sequence[Metrics], name: str) -> Scalar:
    """What all of them say; None if they differ."""
    values = [metrics.get(name) for metrics in known]
    return values[0] if values and all(value == values[0] for value in values) else None
