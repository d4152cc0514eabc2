"""Reads a page of metrics, as Prometheus does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from master.metrics import WebhookGauges, exposition
from master.service import Farm, gauges
from master.worker.occupancy import Occupancy
from tests.masters import Client

OCCUPANCY = Occupancy(connections=3, busy=2, threads=4, held=1000)


class Page:
    """The samples of one page."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self._samples = [sample for family in self.families.values() for sample in family.samples]

    def value(self, name: str, **labels: str) -> float | None:
        """Of the one sample with this name and exactly these labels; None if there is none."""
        found = [each.value for each in self._samples if each.name == name and each.labels == labels]
        assert len(found) <= 1
        return found[0] if found else None

    def all(self, name: str) -> list[dict[str, str]]:
        """The labels of all samples with this name."""
        return [each.labels for each in self._samples if each.name == name]

    def labels(self) -> dict[str, set[str]]:
        """By the names of families, the names of labels, but for those that the format gives."""
        return {
            name: {label for sample in family.samples for label in sample.labels} - {"le"}
            for name, family in self.families.items()
        }


def page_of(
    farm: Farm, occupancy: Occupancy | None = OCCUPANCY, webhooks: Sequence[WebhookGauges] = ()
) -> Page:
    now = replace(gauges.get(farm), webhooks=webhooks)
    text, media_type = exposition(farm.measures, now, occupancy, "")
    assert media_type.startswith("text/plain; version=0.0.4")
    return Page(text.decode())


def scrape(client: Client) -> Page:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return Page(answer.text)
