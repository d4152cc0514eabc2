"""The store tells how long it waited for its lock, held it, and synced."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from common.problems import NOT_FOUND, Problem
from master.store.memory import MemoryStore
from master.store.meter import Meter
from tests.core.support import FakeClock, crash
from tests.masters import wait_until


class Heard:
    """What a store told."""

    def __init__(self, directory: Path) -> None:
        self.waited: list[float] = []
        self.held: list[float] = []
        self.synced: list[float] = []
        meter = Meter(self.waited.append, self.held.append, self.synced.append)
        self.clock = FakeClock()
        self.store = MemoryStore(directory, self.clock(), meter=meter)


@pytest.fixture
def heard(tmp_path: Path) -> Heard:
    return Heard(tmp_path)


def test_each_transaction_is_told_of_once(heard: Heard) -> None:
    for _ in range(3):
        with heard.store.transaction(heard.clock()):
            pass
    assert len(heard.waited) == len(heard.held) == 3
    crash(heard.store)


def test_a_refusal_is_told_of_too(heard: Heard) -> None:
    with pytest.raises(Problem), heard.store.transaction(heard.clock()):
        raise NOT_FOUND("Nothing is there.")
    assert len(heard.held) == 1
    crash(heard.store)


def test_a_sync_is_told_of_by_who_does_it_and_a_read_needs_none(heard: Heard) -> None:
    journal = heard.store._journal
    journal.append(b"[]")
    journal.wait_synced(journal.position)
    assert len(heard.synced) == 1
    with heard.store.transaction(heard.clock()):
        pass
    assert len(heard.synced) == 1
    crash(heard.store)


def test_who_waits_for_the_lock_is_told_apart_from_who_holds_it(heard: Heard) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with heard.store.transaction(heard.clock()):
            inside.set()
            go_on.wait(10)

    def wait() -> None:
        with heard.store.transaction(heard.clock()):
            pass

    threads = [threading.Thread(target=hold)]
    threads[0].start()
    assert inside.wait(10)
    threads.append(threading.Thread(target=wait))
    threads[1].start()
    assert not go_on.wait(0.05)  # both wait that long: one inside, one outside
    go_on.set()
    wait_until(lambda: len(heard.held) == 2, "both are through")
    for thread in threads:
        thread.join()
    assert max(heard.waited) > 10 * min(heard.waited)
    assert max(heard.held) >= 0.05
    crash(heard.store)
