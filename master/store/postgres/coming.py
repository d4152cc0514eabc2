"""Which logs masters are about to write to: who reads a log at one waits for what another has of it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from common.problems import Problem
from master.store.postgres.borrowing import Borrow

log = logging.getLogger(__name__)

LATEST = 10.0
"""Seconds after which lines are waited for no longer: the master that announced them was killed."""


class TableComing:
    """See `master.store.between.Coming`."""

    def __init__(self, borrow: Borrow) -> None:
        """`borrow`: what to ask with."""
        self._borrow = borrow

    @contextmanager
    def announced(self, job_ids: Collection[str]) -> Iterator[None]:
        """Lines of these logs are written within. `unavailable` if that cannot be told."""
        with self._borrow(None) as (connection, _):
            found = connection.execute(
                "insert into logs_to_come (job_id) select unnest(%s::text[]) returning id", (list(job_ids),)
            ).fetchall()
        try:
            yield
        finally:
            self._written([number for (number,) in found])

    def expects(self, job_id: str) -> bool:
        """Whether there are any still to come."""
        with self._borrow(None) as (connection, _):
            found = connection.execute(
                "select 1 from logs_to_come where job_id = %s "
                "and since > clock_timestamp() - make_interval(secs => %s) limit 1",
                (job_id, LATEST),
            ).fetchall()
        return bool(found)

    def forget_old(self) -> None:
        """What masters left that were killed."""
        with self._borrow(None) as (connection, _):
            connection.execute(
                "delete from logs_to_come where since < clock_timestamp() - make_interval(secs => %s)",
                (2 * LATEST,),
            )

    def _written(self, numbers: Collection[int]) -> None:
        try:
            with self._borrow(None) as (connection, _):
                connection.execute("delete from logs_to_come where id = any(%s)", (list(numbers),))
        except Problem as problem:  # who reads waits a little longer
            log.debug("it cannot be said that a log is written: %s", problem)
