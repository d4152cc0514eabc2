"""Rounds of kills: clients work all the while, and after each round the books are compared."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.faults.torture.audit import audit
from tests.faults.torture.clients import Agent, Caller, Submitter
from tests.faults.torture.ledger import Ledger
from tests.masters import Client, wait_until

AGENTS, SUBMITTERS = 3, 2
MOST_BETWEEN = 15
"""Jobs and results that may be acknowledged between two strikes."""


@dataclass
class Score:
    """What a number of rounds came to."""

    cycles: int = 0
    acknowledged: int = 0
    slowest: float = 0.0
    """Seconds from a strike to the next healthy answer."""
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, ledger: Ledger) -> None:
        self.acknowledged += ledger.acknowledged
        self.lost += ledger.lost
        self.twice += ledger.twice
        self.wrong += ledger.wrong

    @property
    def clean(self) -> bool:
        return not (self.lost or self.twice or self.wrong)

    def line(self) -> str:
        return (
            f"cycles {self.cycles} acknowledged {self.acknowledged} lost {len(self.lost)} "
            f"twice {len(self.twice)} slowest-recovery {self.slowest:.1f} s"
        )


class Struck(Protocol):
    """What is struck down again and again."""

    @property
    def writers(self) -> list[str]:
        """What was seen of two processes that wrote one state at the same time."""

    @property
    def logs(self) -> list[Path]:
        """What its masters write to."""

    def client(self) -> Client:
        """A client of any of its masters."""

    def strike(self) -> float:
        """One fault; the seconds from it until all are healthy again."""

    def end(self) -> None:
        """No process is left."""


def play_round(
    strike_down: Callable[[random.Random], Struck],
    seed: str,
    cycles: int,
    score: Score,
    *,
    stop: threading.Event | None = None,
    tell: Callable[[Ledger], None] = lambda _: None,
) -> None:
    """Up to `cycles` strikes, fewer if `stop` is set; then all that the masters know is looked at.

    `strike_down` starts what is struck. `seed` decides which faults come in which order; the moments are the
    machine's. `tell` is called after each strike.
    """
    victim = strike_down(random.Random(seed))
    ledger = Ledger(several=len(victim.logs) > 1)
    try:
        clients = _clients(victim, ledger, seed)
        try:
            _strike_again_and_again(
                victim, ledger, random.Random(f"{seed} moments"), cycles, score, stop, tell
            )
        finally:
            ledger.over.set()
            for client in clients:
                client.join()
        with victim.client() as reader:
            audit(reader, ledger)
    except BaseException as error:
        ledger.wrong.append(f"{type(error).__name__}: {error}")
        raise
    finally:
        victim.end()
        ledger.twice += victim.writers
        for log in victim.logs:
            if "Traceback" in log.read_text():
                ledger.wrong.append(f"the master made a mistake: see {log}")
        score.add(ledger)


def _clients(victim: Struck, ledger: Ledger, seed: str) -> list[Caller]:
    kinds: list[type[Caller]] = [Agent] * AGENTS + [Submitter] * SUBMITTERS
    clients = [
        kind(victim.client(), ledger, random.Random(f"{seed} client {n}")) for n, kind in enumerate(kinds)
    ]
    for client in clients:
        client.start()
    return clients


def _strike_again_and_again(
    victim: Struck,
    ledger: Ledger,
    chance: random.Random,
    cycles: int,
    score: Score,
    stop: threading.Event | None,
    tell: Callable[[Ledger], None],
) -> None:
    for _ in range(cycles):
        if stop is not None and stop.is_set():
            return
        enough = ledger.acknowledged + chance.randrange(1, MOST_BETWEEN)
        # A fraction of a second more, so that a strike does not always come right behind an answer.
        later = time.monotonic() + chance.uniform(0.0, 0.02)
        wait_until(partial(_far_enough, ledger, enough, later), "the clients get on", 60)
        score.slowest = max(score.slowest, victim.strike())
        score.cycles += 1
        tell(ledger)


def _far_enough(ledger: Ledger, enough: int, later: float) -> bool:
    return ledger.acknowledged >= enough and time.monotonic() >= later
