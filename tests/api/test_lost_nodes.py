"""What time alone brings about, at a master whose patience is short."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import start_master, wait_until


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corner]:
    state_dir: Path = tmp_path_factory.mktemp("hasty") / "state"
    master = start_master(state_dir, lease="600ms", heartbeat_timeout="1200ms", max_attempts=1)
    with master.client() as client:
        yield Corner(client)
    assert master.stop() == 0


def test_a_lease_that_is_not_renewed_ends_and_the_last_attempt_fails_the_job(hasty: Corner) -> None:
    _, claimed = hasty.start()
    wait_until(lambda: hasty.job(claimed["id"])["status"] == "failed", "the lease ends")
    job = hasty.job(claimed["id"])
    assert job["error"]["code"] in ("lease_expired", "node_lost")
    assert job["attempts"][0]["outcome"] == "lost"
    refused(hasty.report(claimed), problems.STALE_LEASE)
    assert hasty.job(claimed["id"]) == job


def test_a_silent_node_is_offline_and_back_when_it_is_heard_of(hasty: Corner) -> None:
    node = hasty.register()
    wait_until(lambda: hasty.node(node["id"])["status"] == "offline", "the node is lost")
    got(hasty.client.post(f"/nodes/{node['id']}/heartbeat"))
    assert hasty.node(node["id"])["status"] == "available"
