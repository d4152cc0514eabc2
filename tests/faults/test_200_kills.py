"""200 kills and other faults of a master under load lose nothing and do nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.torture.campaign import Score, play_round

CYCLES = 200
SEED = "1"


@pytest.mark.timeout(900)
def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(tmp_path: Path) -> None:
    score = Score()
    play_round(tmp_path / "state", SEED, CYCLES, score)
    print(f"seed {SEED}: {score.line()}")  # noqa: T201 - the counts are wanted with -s
    assert (score.lost, score.twice, score.wrong) == ([], [], [])
    assert score.cycles == CYCLES
