"""hls.js plays a ladder in a browser, in all its rungs, with thumbnails."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.browser import said_by
from tests.masters import ROOT
from tests.parts import missing
from tests.system.farm import Farm, job_is
from tests.system.test_ladders import SECONDS, Ladder
from tests.system.test_ladders import film as film

PLAYER = ROOT / "tests" / "player"
HLS_JS = PLAYER / "node_modules" / "hls.js" / "dist" / "hls.min.js"


def said_by_the_player(directory: Path, profile: Path) -> dict[str, Any]:
    """What the page reports once it has played the ladder to its end, or given up."""
    if not HLS_JS.exists():
        missing("there is no hls.js (scripts/setup.sh --tests brings it)")
    shutil.copy(HLS_JS, directory / "hls.js")
    shutil.copy(PLAYER / "player.html", directory)
    return said_by("player.html?ladder=a", directory, profile)


@pytest.mark.usefixtures("film")
def test_every_rung_and_the_thumbnails_are_shown(farm: Farm, film: bytes, tmp_path: Path) -> None:
    ladder = Ladder(farm, film, tmp_path)
    ladder.agent("one")
    with ladder.master.client() as client:
        job_is(client, ladder.submit(client, pictures=True), "completed", 90)
    said = said_by_the_player(ladder.finished, tmp_path / "profile")
    assert said["errors"] == []
    assert (said["offered"], said["ended"]) == (3, True)
    assert said["time"] == pytest.approx(SECONDS, abs=0.2)
    assert set(said["levels"]) == {0, 1, 2}
    assert {tuple(size) for size in said["sizes"]} == {(160, 90), (214, 120), (320, 180)}
    assert [cue[:2] for cue in said["cues"]] == [[0, 1], [1, 2], [2, SECONDS]]
    assert said["cues"][2][2] == "sprite.jpg#xywh=320,0,160,90"
    assert said["sheet"] == [480, 90]
