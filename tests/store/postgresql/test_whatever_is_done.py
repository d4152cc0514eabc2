"""Whatever two masters do, also when one vanishes, or all is moved away and back: nothing is lost or doubled.

`make stores` does it for longer.
"""

from __future__ import annotations

import os
from itertools import count
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant

from common.model import FarmState, Job, JobStatus, Node, Token
from master.service import Farm
from master.store.moving.directory import Directory
from master.store.moving.move import move
from master.store.postgres.database import Database
from master.store.postgres.store import PostgresStore
from tests import databases
from tests.core import support
from tests.core.sound_farm import SoundFarm
from tests.core.support import crash, make_farm
from tests.databases import Server
from tests.store.postgresql.agreement import assert_tables_agree

LONG = os.environ.get("FFRTMP_TEST_STORES") == "all"
MASTERS = 2


class SharedFarm(SoundFarm):
    """Two masters with one database take turns at whatever is done."""

    server: ClassVar[Server]

    def start(self) -> Farm:
        self.url = self.server.new_schema()
        self._masters = [self._master(number) for number in range(MASTERS)]
        self._turn = count()
        self._read: tuple[int, dict[str, Job]] = (-1, {})
        return self._masters[0]

    @property
    def farm(self) -> Farm:
        return self._masters[next(self._turn) % MASTERS]

    @farm.setter
    def farm(self, _: Farm) -> None:
        """They are made by `start`."""

    def _master(self, number: int) -> Farm:
        """All have one archive, as they have one shared directory."""
        with patch.object(
            support, "make_store", lambda *_: PostgresStore(self.url, moment=databases.tests_time)
        ):
            return make_farm(
                self.root, self.clock, lease=60, heartbeat_timeout=90, max_attempts=3, retry_backoff=5
            )

    def records(self) -> dict[str, Job]:
        with self.farm.store.transaction(self.clock()) as tx:
            history = tx.history()
            if history != self._read[0]:
                self._read = history, {job.id: job for job in tx.page(None, None, 1000)}
        return self._read[1]

    def node_records(self) -> list[Node]:
        with self.farm.store.transaction(self.clock()) as tx:
            return tx.nodes()

    def token_records(self) -> list[Token]:
        with self.farm.store.transaction(self.clock()) as tx:
            return tx.tokens()

    def farm_record(self) -> FarmState:
        with self.farm.store.transaction(self.clock()) as tx:
            return tx.farm()

    def listed_results(self) -> tuple[list[Job], int]:
        with self.farm.store.transaction(self.clock()) as tx:
            return tx.results_page(None, 1000)

    def kept(self) -> tuple[Any, ...]:
        with self.farm.store.transaction(self.clock()) as tx:
            history = tx.history()
        return self.records(), self.node_records(), self.token_records(), self.farm_record(), history

    def begin_anew(self, fold: bool) -> None:
        """One of them vanishes, and another one comes; `fold`: all is moved to a directory, and back."""
        crash(self._masters.pop(0).store)
        if fold:
            crash(self._masters.pop().store)
            there, back = Directory(self.root / "state"), Database(self.url)
            first, second = move(back, there, self.clock().wall), move(there, back, self.clock().wall)
            assert first.contents == second.contents
        while len(self._masters) < MASTERS:
            self._masters.append(self._master(len(self._masters)))

    @invariant()
    def the_tables_agree_with_the_records(self) -> None:
        assert_tables_agree(self.url)

    @invariant()
    def listings_and_counts_agree_with_the_records(self) -> None:
        records = self.records()
        with self.farm.store.transaction(self.clock()) as tx:
            for status in JobStatus:
                ids = {job.id for job in records.values() if job.status is status}
                assert {job.id for job in tx.page(status, None, 1000)} == ids
                assert tx.count(status) == len(ids)


@pytest.fixture(autouse=True)
def _server(postgresql: Server) -> None:
    SharedFarm.server = postgresql


TestSharedFarm = SharedFarm.TestCase
TestSharedFarm.settings = settings(
    max_examples=int(os.environ.get("FFRTMP_TEST_EXAMPLES", "60" if LONG else "5")),
    stateful_step_count=60 if LONG else 30,
    deadline=None,
)
