"""A reader loses nothing and hears nothing twice, though the master is killed and started again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.api.corner import Corner, got
from tests.live.listening import Listener, as_client
from tests.masters import start_master


def audited(corner: Corner) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = got(corner.client.get("/audit"))["entries"]
    return entries[::-1]


def test_readers_of_events_and_of_a_log_outlive_two_kills(tmp_path: Path) -> None:
    master = start_master(tmp_path / "state", lease="1h", heartbeat_timeout="1h")
    try:
        with master.client() as client:
            corner = Corner(client)
            _, claimed = corner.start()
        events = Listener(as_client(master).events(after=0))
        narrow = Listener(as_client(master).events(after=0, job_id=claimed["id"]))
        log = Listener(as_client(master).follow_log(claimed["id"]))
        said: list[str] = []
        for life in range(3):
            with master.client() as client:
                corner.client = client
                for n in range(5):
                    said.append(f"life {life}, line {n}")
                    lease = {"node_id": claimed["node_id"], "lease_id": claimed["lease_id"]}
                    got(client.post(f"/jobs/{claimed['id']}/progress", json={**lease, "log": [said[-1]]}))
                    job_id = corner.submit()["id"]
                    got(client.post(f"/jobs/{job_id}/cancel"))
            events.hears_of(job_id=job_id)
            log.hears_of(line=said[-1])
            if life < 2:
                master.kill()
                port = master.port
                master = start_master(tmp_path / "state", port=port, lease="1h", heartbeat_timeout="1h")
        with master.client() as client:
            corner.client = client
            got(corner.report(claimed))
            last = audited(corner)
        events.hears_of(seq=last[-1]["seq"])
        narrow.hears_of(event="job_completed")
        told = [m.data for m in events.heard if m.name != "progress"]
        assert told == last
        assert [m.data for m in narrow.heard if m.name != "progress"] == [
            entry for entry in last if entry["job_id"] == claimed["id"]
        ]
        assert [m.data["line"] for m in log.ends(30) if m.name == "line"] == said
    finally:
        master.stop()
