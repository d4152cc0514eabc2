"""With a ticket nobody waits for the disk: the ticket is settled when it has everything, and not before."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context
from pathlib import Path
from typing import TypeVar

import pytest

from common.problems import Problem
from master.service import Farm
from master.store.settling import Ticket
from tests.core.support import FakeClock, embedded, job, make_farm, submit
from tests.masters import wait_until

T = TypeVar("T")


class Disk:
    """Syncs when it is let; or fails."""

    def __init__(self) -> None:
        self.syncing, self.may = threading.Event(), threading.Event()
        self.broken = False
        self._real = os.fdatasync

    def sync(self, fd: int) -> None:
        self.syncing.set()
        assert self.may.wait(10)
        if self.broken:
            raise OSError(5, "Input/output error")
        self._real(fd)


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    made = make_farm(tmp_path, FakeClock())
    yield made
    embedded(made)._settling.close()


@pytest.fixture
def disk(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    slow = Disk()
    monkeypatch.setattr(os, "fdatasync", slow.sync)
    yield slow
    slow.may.set()


def with_ticket(farm: Farm, do: Callable[[], T]) -> tuple[Ticket, T]:
    def done() -> tuple[Ticket, T]:
        return embedded(farm).open_ticket(), do()

    return copy_context().run(done)


def refusal_of(farm: Farm) -> None:
    with pytest.raises(Problem):
        job(farm, "unknown")


def test_a_ticket_is_settled_when_the_disk_has_what_was_recorded(farm: Farm, disk: Disk) -> None:
    ticket, _ = with_ticket(farm, lambda: submit(farm))
    assert disk.syncing.wait(10)
    assert not ticket.settled
    disk.may.set()
    wait_until(lambda: ticket.settled, "it is settled")


def test_who_reads_what_is_not_on_disk_yet_waits_for_it_too(farm: Farm, disk: Disk) -> None:
    _, job_id = with_ticket(farm, lambda: submit(farm))
    reader, _ = with_ticket(farm, lambda: job(farm, job_id))
    refused, _ = with_ticket(farm, lambda: refusal_of(farm))
    assert not reader.settled
    assert not refused.settled
    disk.may.set()
    wait_until(lambda: reader.settled and refused.settled, "they are settled")


def test_a_read_of_what_is_on_disk_is_settled_at_once(farm: Farm) -> None:
    job_id = submit(farm)
    ticket, _ = with_ticket(farm, lambda: job(farm, job_id))
    assert ticket.settled


def test_listeners_hear_after_the_sync_and_in_order(farm: Farm, disk: Disk) -> None:
    told: list[tuple[int, int]] = []
    farm.store.subscribe(lambda each: told.append((each.before, each.after)))
    tickets = [with_ticket(farm, lambda: submit(farm))[0] for _ in range(5)]
    assert disk.syncing.wait(10)
    assert told == []
    history = farm.store.history
    disk.may.set()
    wait_until(lambda: all(ticket.settled for ticket in tickets), "all are settled")
    wait_until(lambda: len(told) == 5, "all are told")
    assert told == sorted(told)
    assert farm.store.history == history + 5


def test_the_history_of_an_answer_is_the_one_that_holds_when_it_is_sent(farm: Farm, disk: Disk) -> None:
    before = farm.store.history

    def told() -> int:
        submit(farm)
        return farm.store.history

    ticket, history = with_ticket(farm, told)
    assert history == before + 1
    assert farm.store.history == before
    disk.may.set()
    wait_until(lambda: ticket.settled, "it is settled")
    assert farm.store.history == history


def test_if_the_disk_fails_the_answer_is_a_refusal_and_so_is_every_later_one(farm: Farm, disk: Disk) -> None:
    failures: list[str] = []
    embedded(farm)._on_failure = failures.append
    heard = threading.Event()
    embedded(farm).on_settled(heard.set)
    ticket, job_id = with_ticket(farm, lambda: submit(farm))
    disk.broken = True
    disk.may.set()
    assert heard.wait(10)
    with pytest.raises(Problem, match=r"failed to sync.*Input/output error"):
        _ = ticket.settled
    with pytest.raises(Problem, match="failed to sync"):
        with_ticket(farm, lambda: job(farm, job_id))
    assert len(failures) == 1


def test_a_listener_that_fails_stops_nothing(farm: Farm, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("a mistake")

    farm.store.subscribe(broken)
    for _ in range(2):
        ticket, _ = with_ticket(farm, lambda: submit(farm))
        wait_until(lambda ticket=ticket: ticket.settled, "it is settled")  # type: ignore[misc]
    assert "a listener of the store failed" in caplog.text
