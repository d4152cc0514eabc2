"""What an encode costs in money. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_JOULES_IN_A_KWH = 3.6e6
_SECONDS_IN_AN_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Prices:
    """What the operator pays for the node. None: not said."""

    per_kwh: float | None = None
    per_hour: float | None = None
    """Of the whole node."""
    currency: str | None = None
    """Three letters, as ISO 4217 has them."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The money for one encode. All None: there is no price."""

    amount: float | None = None
    currency: str | None = None
    basis: str | None = None
    """The formula with its inputs; or why there is no amount."""


def cost(prices: Prices, joules: float | None, wall_seconds: float, shared: str | None = None) -> Cost:
    """kWh x price and node hours x price, whichever are set; both: their sum.

    No amount if the price of energy is to count and the energy is not known; nor if the
    node was `shared` (a sentence why): then its hour is not this encode's alone.
    """
    unit = prices.currency
    terms: list[tuple[float, str]] = []
    if prices.per_kwh is not None:
        if joules is None:
            return Cost(None, unit, "the energy is not known, so its price is not either; see energy_note")
        kwh = joules / _JOULES_IN_A_KWH
        terms.append((kwh * prices.per_kwh, f"{kwh:.6g} kWh x {prices.per_kwh:g} {unit}"))
    if prices.per_hour is not None:
        if shared is not None:
            return Cost(None, unit, f"the node's hours are not this encode's alone: {shared}")
        hours = wall_seconds / _SECONDS_IN_AN_HOUR
        terms.append((hours * prices.per_hour, f"{hours:.6g} node hours x {prices.per_hour:g} {unit}"))
    if not terms:
        return Cost()
    return Cost(round(sum(amount for amount, _ in terms), 9), unit, " + ".join(text for _, text in terms))
