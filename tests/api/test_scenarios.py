"""`GET /scenarios` lists the catalogue."""

from __future__ import annotations

from common.scenarios import CATALOGUE
from tests.api.corner import got
from tests.masters import Client


def test_every_scenario_is_listed_with_what_it_fixes(client: Client) -> None:
    answer = got(client.get("/scenarios"))
    assert answer["count"] == len(CATALOGUE)
    assert [scenario["name"] for scenario in answer["scenarios"]] == [each.name for each in CATALOGUE]
    assert {
        "name": "4K60-h265",
        "width": 3840,
        "height": 2160,
        "fps": 60,
        "codec": "h265",
        "bitrate": "12000k",
        "duration": 10.0,
    } in answer["scenarios"]
