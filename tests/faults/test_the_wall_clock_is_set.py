"""The wall clock set by an hour or a year, either way: nobody is lost by it, and certificates follow it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from cryptography import x509

from common.clock import system_clock
from common.model import Now
from common.trust import fetch_chain, fingerprint
from master import runtime
from tests.api.corner import Corner, got
from tests.masters import Master, free_port, launch_master, wait_until

HOUR, YEAR = timedelta(hours=1), timedelta(days=365)
ROUNDS = 2.5
"""Seconds in which the master has looked at all nodes and leases again: it does so every second."""


def follow(offset: Path) -> None:
    """In the master's process: its wall clock is off by the seconds that a file says."""

    def clock() -> Now:
        wall, mono = system_clock()
        return Now(wall + timedelta(seconds=float(offset.read_text())), mono)

    mock.patch.object(runtime, "Runtime", partial(runtime.Runtime, clock=clock)).start()
    mock.patch.object(runtime, "CLOCK_CHECK", 0.2).start()


class SetClock:
    """A master whose wall clock the test sets."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "offset"
        self._state_dir = folder / "state"
        self._port = free_port()
        self.set(timedelta())
        self.master = self.start()

    def start(self) -> Master:
        self.master = launch_master(self._state_dir, port=self._port, prepare=partial(follow, self._offset))
        wait_until(self.chain, "the master serves", 30)
        return self.master

    def set(self, by: timedelta) -> None:
        part = self._offset.with_suffix(".part")
        part.write_text(str(by.total_seconds()))
        part.rename(self._offset)
        self._by = by

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self._by

    def chain(self) -> list[x509.Certificate]:
        """What is served: the server's certificate and the CA's."""
        try:
            return fetch_chain("127.0.0.1", self._port, 5)
        except OSError:
            return []

    def serves_what_is_valid(self) -> bool:
        """By the wall clock as it is set."""
        return all(cert.not_valid_before_utc <= self.now <= cert.not_valid_after_utc for cert in self.chain())


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[SetClock]:
    clock = SetClock(tmp_path)
    yield clock
    assert clock.master.stop() == 0
    assert "Traceback" not in clock.master.log.read_text()


@pytest.fixture
def corner(clock: SetClock) -> Iterator[Corner]:
    """Its connection is older than any renewal, so that it speaks to the master whatever the time is."""
    with clock.master.client() as client:
        yield Corner(client)


def lease_left(corner: Corner, job_id: str) -> float:
    job: dict[str, Any] = corner.job(job_id)
    assert job["status"] == "running"
    left = float(job["lease_expires_in"])
    assert 45 < left <= 90, "the lease runs on a clock that was set"
    return left


shifts = pytest.mark.parametrize("by", [HOUR, -HOUR, YEAR, -YEAR], ids=["+1h", "-1h", "+1y", "-1y"])


@shifts
def test_no_lease_expires_no_node_is_lost_and_running_jobs_are_accepted(
    by: timedelta, clock: SetClock, corner: Corner
) -> None:
    node, claimed = corner.start()
    left = lease_left(corner, claimed["id"])
    clock.set(by)
    wait_until(lambda: lease_left(corner, claimed["id"]) < left - ROUNDS, "the master has looked around", 30)
    assert corner.node(node["id"])["status"] == "busy"
    got(corner.report(claimed))
    done = corner.job(claimed["id"])
    assert done["status"] == "completed"
    assert [attempt["outcome"] for attempt in done["attempts"]] == ["completed"]
    # And it goes on, in the new time.
    made = corner.submit()
    assert abs(datetime.fromisoformat(made["created_at"]) - clock.now) < timedelta(minutes=1)
    assert corner.poll(node["id"])["job"]["id"] == made["id"]


@shifts
def test_certificates_are_judged_by_the_clock_as_it_is_set(by: timedelta, clock: SetClock) -> None:
    ca = fingerprint(clock.chain()[-1])
    clock.set(by)
    wait_until(clock.serves_what_is_valid, "the certificates are valid again", 30)
    assert fingerprint(clock.chain()[-1]) == ca  # every pin still holds


@pytest.mark.parametrize("by", [YEAR, -YEAR], ids=["+1y", "-1y"])
def test_a_year_brings_a_new_server_certificate(by: timedelta, clock: SetClock) -> None:
    before = clock.chain()[0].serial_number
    clock.set(by)
    wait_until(lambda: clock.chain()[0].serial_number != before, "there is another certificate", 30)
