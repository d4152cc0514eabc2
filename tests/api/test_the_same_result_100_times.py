"""The same result 100 times in parallel is applied once, and everybody gets the same answer."""

from __future__ import annotations

from tests.api.corner import Corner, got
from tests.api.crowd import at_once
from tests.masters import Client, Master

TIMES = 100


def test_it_is_applied_once(master: Master, corner: Corner) -> None:
    _, claimed = corner.start()
    report = {name: claimed[name] for name in ("node_id", "lease_id", "attempt")}
    report |= {"job_id": claimed["id"], "metrics": {"frames": 300}, "log": ["said once"]}
    answers = at_once(master, TIMES, lambda client, _: client.post("/results", json=report))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    done = corner.job(claimed["id"])
    assert [attempt["outcome"] for attempt in done["attempts"]] == ["completed"]
    assert got(corner.client.get(f"/jobs/{done['id']}/logs"))["lines"] == ["said once"]


def test_of_100_different_results_one_is_applied(master: Master, corner: Corner) -> None:
    _, claimed = corner.start()
    report = {name: claimed[name] for name in ("node_id", "lease_id", "attempt")}

    def tell(client: Client, n: int) -> int:
        sent = {**report, "job_id": claimed["id"], "metrics": {"frames": n}}
        return client.post("/results", json=sent).status_code

    statuses = at_once(master, TIMES, tell)
    assert sorted(statuses) == [200] + [422] * (TIMES - 1)
    result = got(corner.client.get(f"/jobs/{claimed['id']}/result"))
    assert result["metrics"]["frames"] == statuses.index(200)
