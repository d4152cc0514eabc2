"""docs/metrics.md lists each metric with its type, labels and meaning, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from agent.metrics import Metrics, Moment
from common.model import Failure, JobStatus, Progress, Webhook
from master.metrics import WebhookGauges
from tests.core.support import FakeClock, finish, make_farm, must_claim, register, submit
from tests.docs.tables import names, page, sections, table
from tests.metrics.support import Page, page_of

SECTIONS = sections(page("metrics.md"))
_NOT_OURS = ("process_", "python_")


@pytest.fixture
def of_master(tmp_path: Path) -> Page:
    """A farm in which something of everything has happened."""
    farm = make_farm(tmp_path, FakeClock())
    node_id = register(farm, max_concurrent_jobs=3)
    made = dict.fromkeys(
        ("frames", "duration", "cpu_seconds", "output_bytes", "energy_joules", "speed", "fps"), 1
    )
    for _ in range(4):
        submit(farm)
    finish(farm, must_claim(farm, node_id), metrics=made)
    finish(farm, must_claim(farm, node_id), JobStatus.FAILED, error=Failure("encoder_error", "it broke"))
    lease = must_claim(farm, node_id).job.lease
    assert lease is not None
    farm.store.liveness.set_progress(lease.lease_id, Progress(fps=1.0), farm.clock())
    farm.certificate_expiry = 1.0
    farm.measures.answered("/jobs", "GET", 200, 0.1)
    farm.measures.told_webhook("w", taken=True)
    webhook = Webhook("w", "a-webhook", "https://receiver.example/", (), farm.clock().wall, 0)
    return page_of(farm, webhooks=[WebhookGauges(webhook, 3)])


@pytest.fixture
def of_agent() -> Page:
    """An agent that runs a job, and has served nothing."""
    metrics = Metrics()
    metrics.heard()
    progress = Progress(fps=1.0, speed=1.0, percent=50.0)
    metrics.show(
        lambda: Moment("n", 1, [(0, progress)], draining=False, outbox=0, cache_bytes=1, cache_most=2)
    )
    return Page(generate_latest(metrics.registry).decode())


def check(found: Page, section: str) -> None:
    rows = table(SECTIONS[section], "metric")
    said = {name: tuple(row[1:]) for name, row in zip(names(rows), rows, strict=True)}
    assert said == {
        f"{family.name}_total" if family.type == "counter" else family.name: (
            family.type,
            ", ".join(f"`{label}`" for label in sorted(found.labels()[family.name])),
            family.documentation,
        )
        for family in found.families.values()
        if not family.name.startswith(_NOT_OURS)
    }


def test_the_masters_metrics_are_those_of_a_scrape(of_master: Page) -> None:
    check(of_master, "The master's")


def test_the_agents_metrics_are_those_of_a_scrape(of_agent: Page) -> None:
    check(of_agent, "The agent's")


@pytest.mark.parametrize("which", ["of_master", "of_agent"])
def test_every_metric_of_a_scrape_has_a_sample(request: pytest.FixtureRequest, which: str) -> None:
    """Else its labels could not be compared."""
    found: Page = request.getfixturevalue(which)
    assert [family.name for family in found.families.values() if not family.samples] == []


def test_of_each_metric_of_the_master_it_says_whose_it_is() -> None:
    rows = table(SECTIONS["With several masters"], "whose")
    said = [name for row in rows for name in re.findall(r"`(ffrtmp_[a-z_]+)`", row[1])]
    assert len(rows) == 3
    assert sorted(said) == sorted(names(table(SECTIONS["The master's"], "metric")))
