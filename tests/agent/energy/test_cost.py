"""Money: kilowatt hours and node hours at their prices, with the formula; null where one is not known."""

from __future__ import annotations

import pytest

from agent.energy.cost import Cost, Prices, cost


def test_without_a_price_nothing_is_said() -> None:
    assert cost(Prices(), 3.6e6, 3600.0) == Cost(None, None, None)


def test_energy_at_its_price() -> None:
    assert cost(Prices(per_kwh=0.3, currency="EUR"), 1.8e6, 60.0) == Cost(0.15, "EUR", "0.5 kWh x 0.3 EUR")


def test_time_at_its_price_needs_no_energy() -> None:
    price = Prices(per_hour=1.2, currency="USD")
    assert cost(price, None, 900.0) == Cost(0.3, "USD", "0.25 node hours x 1.2 USD")


def test_both_are_added() -> None:
    both = cost(Prices(0.3, 1.2, "EUR"), 1.8e6, 900.0)
    assert both.amount == pytest.approx(0.45)
    assert both.basis == "0.5 kWh x 0.3 EUR + 0.25 node hours x 1.2 EUR"


def test_a_short_encode_costs_more_than_nothing() -> None:
    amount = cost(Prices(per_kwh=0.3, currency="EUR"), 20.0, 2.0).amount
    assert amount == pytest.approx(20 / 3.6e6 * 0.3, rel=1e-3)


@pytest.mark.parametrize("per_hour", [None, 1.2])
def test_energy_that_is_not_known_has_no_price_and_nor_has_the_sum(per_hour: float | None) -> None:
    assert cost(Prices(0.3, per_hour, "EUR"), None, 60.0) == Cost(
        None, "EUR", "the energy is not known, so its price is not either; see energy_note"
    )


def test_the_hour_of_a_node_that_was_shared_is_not_one_encodes() -> None:
    shared = cost(Prices(per_hour=1.2, currency="EUR"), None, 60.0, "another job ran on this node")
    assert shared == Cost(
        None, "EUR", "the node's hours are not this encode's alone: another job ran on this node"
    )


def test_what_is_free_costs_nothing() -> None:
    assert cost(Prices(per_kwh=0.0, currency="EUR"), 1.8e6, 60.0).amount == 0.0
