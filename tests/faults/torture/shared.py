"""Several masters over one PostgreSQL: any of them is struck down at any moment, and so is PostgreSQL."""

from __future__ import annotations

import random
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests

from tests.databases import Server, server
from tests.faults.torture.victim import Victim
from tests.masters import Client

MASTERS = 2


class AnyMaster(Client):
    """As behind a balancer: each request comes to another master."""

    def __init__(self, urls: list[str], ca: Path, chance: random.Random) -> None:
        super().__init__(urls[0], ca)
        self._urls, self._chance = urls, chance

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        self.url = self._chance.choice(self._urls)
        return super().request(method, url, *args, **kwargs)


class SharedVictim:
    """Masters that share a database and a directory."""

    def __init__(self, directory: Path, chance: random.Random, running: Server | None = None) -> None:
        """`running`: the PostgreSQL; None: one of its own."""
        self._chance = chance
        self._stack = ExitStack()
        directory.mkdir(parents=True, exist_ok=True)
        try:
            self._server = running or self._stack.enter_context(server())
            flags = {"store": self._server.new_schema(), "shared_dir": str(directory / "shared")}
            self._masters: list[Victim] = []
            for number in range(MASTERS):
                self._masters.append(Victim(directory / f"master-{number}", chance, **flags))
        except BaseException:
            self.end()
            raise

    @property
    def writers(self) -> list[str]:
        return []

    @property
    def logs(self) -> list[Path]:
        return [log for each in self._masters for log in each.logs]

    def client(self) -> Client:
        """Whichever it asks, it trusts the CA that all have."""
        masters = [each.master for each in self._masters]
        return AnyMaster(
            [each.url for each in masters], masters[0].ca, random.Random(self._chance.getrandbits(64))
        )

    def strike(self) -> float:
        """One fault; the seconds from it until all masters are healthy again."""
        ways = {
            self.strike_a_master: 6,
            self.kill_all_masters: 1,
            self.restart_the_database: 2,
            self.crash_it: 2,
        }
        (way,) = self._chance.choices(list(ways), list(ways.values()))
        begun = time.monotonic()
        way()
        for each in self._masters:
            each.ready()
        return time.monotonic() - begun

    def strike_a_master(self) -> None:
        self._chance.choice(self._masters).strike()

    def kill_all_masters(self) -> None:
        for each in self._masters:
            each.kill_everything()

    def restart_the_database(self) -> None:
        self._server.stop(signal.SIGINT)
        self._server.start()

    def crash_it(self) -> None:
        """As when its machine loses power, but that the disk has what it was given."""
        self._server.stop(signal.SIGQUIT)
        self._server.start()

    def end(self) -> None:
        for each in getattr(self, "_masters", []):
            each.end()
        self._stack.close()
