"""`make torture MINUTES=10`: round after round until the time is over; SEED= repeats the faults of a run.

Rounds with one master take turns with those of several masters over PostgreSQL; STORE= says which alone.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.faults.torture.campaign import Score, Struck, play_round
from tests.faults.torture.ledger import Ledger
from tests.faults.torture.shared import SharedVictim
from tests.faults.torture.victim import Victim

CYCLES = {"memory": 200, "postgresql": 40}
"""Strikes in a round. The next begins with an empty state, so that it stays small."""
VICTIMS: dict[str, Callable[[Path, random.Random], Struck]] = {"memory": Victim, "postgresql": SharedVictim}
EVERY = 10.0
"""Seconds between two lines about how it goes."""


class Teller:
    """Says now and then how it goes, and ends the round when the time is over."""

    def __init__(self, score: Score, minutes: float, stop: threading.Event) -> None:
        self._score = score
        self._stop = stop
        self._begun = time.monotonic()
        self._end = self._begun + minutes * 60
        self._next = self._begun + EVERY

    def tell(self, ledger: Ledger) -> None:
        now = time.monotonic()
        if now >= self._end:
            self._stop.set()
        if now >= self._next:
            self._next = now + EVERY
            acknowledged = self._score.acknowledged + ledger.acknowledged
            say(
                f"{now - self._begun:4.0f} s: cycles {self._score.cycles} acknowledged {acknowledged} "
                f"slowest-recovery {self._score.slowest:.1f} s"
            )


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", default="", help="of an earlier run; a fresh one if empty")
    parser.add_argument("--store", choices=["", *VICTIMS], default="", help="whose alone; both if empty")
    options = parser.parse_args()
    seed = options.seed or os.urandom(4).hex()
    say(f"Torture for {options.minutes:g} minutes. To repeat its faults: make torture SEED={seed}")
    score, stop = Score(), threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    folder = Path(tempfile.mkdtemp(prefix="ffrtmp-torture-"))
    teller = Teller(score, options.minutes, stop)
    n = 0
    while not stop.is_set() and score.clean:
        n += 1
        try:
            store = options.store or list(VICTIMS)[n % len(VICTIMS)]
            (folder / f"round-{n}").mkdir()
            victim = partial(VICTIMS[store], folder / f"round-{n}" / "state")
            play_round(victim, f"{seed} {n}", CYCLES[store], score, stop=stop, tell=teller.tell)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - it is noted, and the line comes
            say(f"The round could not be ended: {error}")
        if score.clean:
            shutil.rmtree(folder / f"round-{n}")
    for finding in [*score.lost, *score.twice, *score.wrong]:
        say(finding)
    if score.clean:
        shutil.rmtree(folder)
    else:
        say(f"The master's state and log are kept in {folder}")
    say(score.line())
    return 0 if score.clean else 1


if __name__ == "__main__":
    sys.exit(main())
