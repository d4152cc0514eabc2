"""Whoever is alone under a name in this process keeps others out, and only those who want the same name."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from master.store.exclusion import Exclusion


def test_of_many_threads_one_at_a_time_is_let_in() -> None:
    exclusive, inside, most = Exclusion(), [0], [0]
    together = threading.Barrier(8)

    def enter(_: int) -> None:
        together.wait()
        for _turn in range(50):
            with exclusive("files"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(8)))
    assert most == [1]


def test_another_name_is_free_and_the_same_one_is_not() -> None:
    exclusive, begun, ended = Exclusion(), threading.Event(), threading.Event()

    def enter() -> None:
        with exclusive("archive"):
            begun.set()
        with exclusive("files"):
            ended.set()

    with ThreadPoolExecutor(1) as pool:
        with exclusive("files"):
            entered = pool.submit(enter)
            assert begun.wait(30)
            assert not ended.wait(0.05)
        entered.result()
    assert ended.is_set()


def test_a_thread_that_is_alone_may_enter_once_more_and_nothing_is_kept_when_all_have_left() -> None:
    exclusive = Exclusion()
    with exclusive("files"), exclusive("files"):
        assert exclusive._locks
    assert not exclusive._locks
