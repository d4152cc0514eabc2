"""Rounds of kills: clients work all the while, and after each round the books are compared."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.faults.torture.audit import audit
from tests.faults.torture.clients import Agent, Caller, Submitter
from tests.faults.torture.ledger import Ledger
from tests.faults.torture.victim import Victim
from tests.masters import wait_until

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


def play_round(
    state_dir: Path,
    seed: str,
    cycles: int,
    score: Score,
    *,
    stop: threading.Event | None = None,
    tell: Callable[[Ledger], None] = lambda _: None,
) -> None:
    """Up to `cycles` strikes at one master, fewer if `stop` is set; then all that it knows is looked at.

    `seed` decides which faults come in which order; the moments are the machine's. `tell` is
    called after each strike.
    """
    ledger = Ledger()
    victim = Victim(state_dir, random.Random(seed))
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
        with victim.master.client() as reader:
            audit(reader, ledger)
    except BaseException as error:
        ledger.wrong.append(f"{type(error).__name__}: {error}")
        raise
    finally:
        victim.end()
        ledger.twice += victim.writers
        if "Traceback" in victim.master.log.read_text():
            ledger.wrong.append(f"the master made a mistake: see {victim.master.log}")
        score.add(ledger)


def _clients(victim: Victim, ledger: Ledger, seed: str) -> list[Caller]:
    kinds: list[type[Caller]] = [Agent] * AGENTS + [Submitter] * SUBMITTERS
    clients = [
        kind(victim.master.client(), ledger, random.Random(f"{seed} client {n}"))
        for n, kind in enumerate(kinds)
    ]
    for client in clients:
        client.start()
    return clients


def _strike_again_and_again(
    victim: Victim,
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
