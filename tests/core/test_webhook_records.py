"""A webhook is a record: what happened to it is there after a restart, by journal or snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from common.model import Webhook, WebhookStatus
from master.lifecycle import commands
from master.lifecycle.commands import WebhookCommand
from master.service.farm import Farm
from master.store import snapshot
from tests.core.support import FakeClock, crash, make_farm


def do(farm: Farm, *wishes: WebhookCommand) -> Webhook | None:
    """What they make of the webhook `w`."""
    for wish in wishes:
        with farm.store.transaction(farm.clock()) as tx:
            farm.decide(tx, wish, webhook=tx.webhook("w"))
    return farm.store.webhook("w")


def made(farm: Farm) -> Webhook:
    webhook = Webhook("w", "chat", "https://hooks.example.com/", ("job_failed",), farm.clock().wall, 7)
    assert do(farm, commands.CreateWebhook(webhook)) == webhook
    return webhook


STOP = commands.StopWebhook(WebhookStatus.DISABLED, "it took nothing")
ROTATE = commands.RotateWebhook(60.0)


@pytest.mark.parametrize("folded", [False, True], ids=["journal", "snapshot"])
@pytest.mark.parametrize(
    "wishes",
    [(), (STOP,), (STOP, commands.ResumeWebhook()), (ROTATE, ROTATE), (commands.RemoveWebhook(),)],
    ids=["made", "stopped", "resumed", "rotated", "removed"],
)
def test_it_is_the_same_after_a_restart(
    farm: Farm, clock: FakeClock, wishes: Sequence[WebhookCommand], folded: bool
) -> None:
    made(farm)
    before = do(farm, *wishes)
    crash(farm.store)
    directory = farm.config.state_dir
    if folded:
        snapshot.fold(directory / "journal", 1)
    assert make_farm(directory, clock).store.webhook("w") == before


def test_the_reason_that_it_was_stopped_for_first_stays(farm: Farm) -> None:
    made(farm)
    do(farm, STOP)
    paused = do(farm, commands.StopWebhook(WebhookStatus.PAUSED, "an operator paused it"))
    assert paused is not None
    assert (paused.status, paused.reason) == (WebhookStatus.DISABLED, "it took nothing")


def test_a_secret_that_holds_goes_on_to_hold_when_another_takes_its_place(
    farm: Farm, clock: FakeClock
) -> None:
    made(farm)
    first = do(farm, ROTATE)
    assert first is not None
    assert (first.generation, first.oldest) == (2, 1)
    assert first.replaced_until == clock().wall + timedelta(seconds=60)
    again = do(farm, ROTATE)
    assert again is not None
    assert (again.generation, again.oldest) == (3, 1)
    clock.advance(60)
    late = do(farm, ROTATE)
    assert late is not None
    assert (late.generation, late.oldest) == (4, 3)
