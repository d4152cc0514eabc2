"""Of masters that share a database one at a time is alone at something, and one of them does a chore."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
import pytest

from common.problems import UNAVAILABLE, Problem
from master.service import Farm
from master.store.postgres.connecting import noticing
from master.store.postgres.store import PostgresStore
from tests.store.postgresql.conftest import Masters, at_once, until


def test_of_all_masters_and_their_threads_one_at_a_time_is_alone(masters: Masters) -> None:
    farms, inside, most = masters(2), [0], [0]

    def enter(farm: Farm) -> None:
        for _ in range(5):
            with farm.store.exclusive("files"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                threading.Event().wait(0.002)
                inside[0] -= 1

    at_once(*(partial(enter, farms[n % 2]) for n in range(24)))
    assert most == [1]


def test_another_name_is_free_and_the_same_one_is_not(masters: Masters) -> None:
    first, second = masters(2)
    begun, ended = threading.Event(), threading.Event()

    def enter() -> None:
        with second.store.exclusive("archive"):
            begun.set()
        with second.store.exclusive("files"):
            ended.set()

    with ThreadPoolExecutor(1) as pool:
        with first.store.exclusive("files"), first.store.exclusive("files"), first.store.exclusive("ca"):
            entered = pool.submit(enter)
            assert begun.wait(30)
            assert not ended.wait(0.1)
        entered.result()
    assert ended.is_set()


def test_whoever_is_alone_may_begin_a_transaction_and_not_the_other_way_round(masters: Masters) -> None:
    [farm] = masters(1)
    with farm.store.exclusive("files"), farm.store.transaction(farm.clock()) as tx:
        assert tx.nodes() == []
        with pytest.raises(RuntimeError, match="before a transaction"), farm.store.exclusive("archive"):
            pass


def test_who_was_cut_off_while_alone_is_told_so(masters: Masters) -> None:
    first, second = masters(2)

    def be_alone_too_long() -> None:
        with first.store.exclusive("files"):
            cut_off(first, "pg_advisory_lock(hashtextextended")
            with second.store.exclusive("files"):
                pass

    with pytest.raises(Problem) as refused:
        be_alone_too_long()
    assert refused.value.type is UNAVAILABLE
    with first.store.exclusive("files"):  # by another connection
        pass


def test_one_leads_and_another_takes_its_place_when_it_has_ended(masters: Masters) -> None:
    first, second = masters(2)
    assert [farm.store.leads("archive") for farm in (first, second, first)] == [True, False, True]
    assert second.store.leads("audit")
    first.store.close()
    until(lambda: second.store.leads("archive"))


def test_one_that_was_cut_off_leads_no_more_once_another_does(masters: Masters) -> None:
    first, second = masters(2)
    assert first.store.leads("archive")
    cut_off(first, "pg_try_advisory_lock(hashtextextended")
    until(lambda: second.store.leads("archive"))
    assert not first.store.leads("archive")


def test_a_machine_that_is_gone_keeps_its_turn_for_no_longer_than_half_a_minute(masters: Masters) -> None:
    """Left to the systems, a connection whose other end has lost its power lasts for hours."""
    [farm] = masters(1)
    assert isinstance(farm.store, PostgresStore)
    said = psycopg.conninfo.conninfo_to_dict(farm.store._url)
    kept = [int(str(said[f"keepalives_{name}"])) for name in ("idle", "interval", "count")]
    assert kept[0] + kept[1] * kept[2] == int(str(said["tcp_user_timeout"])) / 1000 <= 30
    with farm.store._connect() as connection:
        found = connection.execute(
            "select name from pg_settings where name like 'tcp_%' and source = 'session' order by name"
        ).fetchall()
    assert [name for (name,) in found] == [
        "tcp_keepalives_count",
        "tcp_keepalives_idle",
        "tcp_keepalives_interval",
        "tcp_user_timeout",
    ]


def test_what_a_url_says_of_it_holds() -> None:
    said = psycopg.conninfo.conninfo_to_dict(noticing("postgresql://db/farm?keepalives_idle=77"))
    assert (said["keepalives_idle"], said["keepalives_count"], said["host"]) == ("77", "3", "db")


def cut_off(farm: Farm, asked: str) -> None:
    """End the connections of this database which asked this last."""
    assert isinstance(farm.store, PostgresStore)
    with psycopg.connect(farm.store._url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where query like %s and pid <> pg_backend_pid()",
            (f"%{asked}%",),
        )
