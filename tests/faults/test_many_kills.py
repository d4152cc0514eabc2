"""Many kills and other faults of a master under load lose nothing and do nothing twice.

FFRTMP_TEST_KILLS=200 strikes that often; `make torture` goes on for minutes.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from tests.faults.torture.campaign import Score, play_round
from tests.faults.torture.victim import Victim

CYCLES = int(os.environ.get("FFRTMP_TEST_KILLS", "30"))
SEED = "1"


@pytest.mark.timeout(900)
def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(tmp_path: Path) -> None:
    score = Score()
    play_round(partial(Victim, tmp_path / "state"), SEED, CYCLES, score)
    print(f"seed {SEED}: {score.line()}")  # noqa: T201 - the counts are wanted with -s
    assert (score.lost, score.twice, score.wrong) == ([], [], [])
    assert score.cycles == CYCLES
