"""For the loop the kernel syncs, and nobody waits for it in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from typing import TypeVar

import pytest

from common.problems import Problem
from master.service import Farm
from master.store.journal import JournalError
from master.store.kernel_syncs import Done, KernelSyncs
from master.store.settling import Ticket
from master.worker.loop import Loop
from tests.core.support import FakeClock, embedded, job, make_farm, submit
from tests.masters import wait_until

T = TypeVar("T")


class Held:
    """What the kernel was asked for, and when it may end."""

    def __init__(self) -> None:
        self.asked: list[Done] = []
        self.takes = True

    def begin(self, _: KernelSyncs, _fd: int, done: Done) -> bool:
        if self.takes:
            self.asked.append(done)
        return self.takes


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def farm(tmp_path: Path, loop: Loop) -> Iterator[Farm]:
    made = make_farm(tmp_path, FakeClock())
    embedded(made).on_settled(lambda: None, loop)
    yield made
    with suppress(JournalError):  # in one of these the disk has failed
        embedded(made).close()


@pytest.fixture
def held(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    assert embedded(farm)._journal._kernel is not None, "this kernel has AIO"
    what = Held()
    monkeypatch.setattr(KernelSyncs, "begin", lambda kernel, fd, done: what.begin(kernel, fd, done))
    yield what
    what.takes = False
    for done in what.asked:
        done(None)


def with_ticket(farm: Farm, do: Callable[[], T]) -> tuple[Ticket, T]:
    def done() -> tuple[Ticket, T]:
        return embedded(farm).open_ticket(), do()

    return copy_context().run(done)


def turn_until(loop: Loop, condition: Callable[[], bool], what: str) -> None:
    def turned() -> bool:
        loop.turn(0.01)
        return condition()

    wait_until(turned, what)


def test_an_answer_is_settled_when_the_kernel_has_synced_without_a_thread(farm: Farm, loop: Loop) -> None:
    ticket, _ = with_ticket(farm, lambda: submit(farm))
    assert not ticket.settled
    turn_until(loop, lambda: ticket.settled, "it is settled")
    assert embedded(farm)._settling._thread is None


def test_what_comes_meanwhile_shares_the_next_sync(farm: Farm, loop: Loop, held: Held) -> None:
    tickets = [with_ticket(farm, lambda: submit(farm))[0] for _ in range(5)]
    assert len(held.asked) == 1
    held.asked.pop()(None)
    turn_until(loop, lambda: tickets[0].settled, "the first is settled")
    assert [ticket.settled for ticket in tickets] == [True, False, False, False, False]
    assert len(held.asked) == 1
    held.asked.pop()(None)
    turn_until(loop, lambda: all(ticket.settled for ticket in tickets), "all are settled")


def test_those_who_listen_are_told_in_the_loop_in_order(farm: Farm, loop: Loop) -> None:
    told: list[tuple[int, int]] = []
    farm.store.subscribe(lambda each: told.append((each.before, threading.get_ident())))
    tickets = [with_ticket(farm, lambda: submit(farm))[0] for _ in range(3)]
    turn_until(loop, lambda: all(ticket.settled for ticket in tickets), "all are settled")
    assert told == [(each, threading.get_ident()) for each in sorted(before for before, _ in told)]
    assert len(told) == 3


def test_if_the_sync_fails_the_answer_is_a_refusal_and_so_is_every_later_one(
    farm: Farm, loop: Loop, held: Held
) -> None:
    failures: list[str] = []
    embedded(farm)._on_failure = failures.append
    ticket, job_id = with_ticket(farm, lambda: submit(farm))
    held.asked.pop()(OSError(5, "Input/output error"))
    loop.turn(0.0)
    with pytest.raises(Problem, match=r"failed to sync.*Input/output error"):
        _ = ticket.settled
    with pytest.raises(Problem, match="failed to sync"):
        with_ticket(farm, lambda: job(farm, job_id))
    assert len(failures) == 1


def test_what_the_kernel_does_not_take_a_thread_syncs(farm: Farm, loop: Loop, held: Held) -> None:
    held.takes = False
    ticket, _ = with_ticket(farm, lambda: submit(farm))
    turn_until(loop, lambda: ticket.settled, "it is settled")
    assert embedded(farm)._settling._thread is not None


def test_a_thread_that_needs_the_sync_hears_of_its_end_though_the_loop_stands_still(farm: Farm) -> None:
    with_ticket(farm, lambda: submit(farm))
    waiting = threading.Thread(target=submit, args=[farm])
    waiting.start()
    waiting.join(10)
    assert not waiting.is_alive()


def test_at_the_end_all_that_was_owed_is_told(tmp_path: Path, loop: Loop) -> None:
    farm = make_farm(tmp_path, FakeClock())
    embedded(farm).on_settled(lambda: None, loop)
    told: list[int] = []
    farm.store.subscribe(lambda each: told.append(each.after))
    for _ in range(3):
        with_ticket(farm, lambda: submit(farm))
    embedded(farm).close()
    assert len(told) == 3
