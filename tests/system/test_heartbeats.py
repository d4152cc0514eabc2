"""An agent is heard often enough for its master, whatever interval it was told."""

from __future__ import annotations

from datetime import datetime

from tests.masters import Client, wait_until
from tests.system.farm import Farm, node


def seconds_heard(client: Client, node_id: str) -> float:
    """From the node's registration to its last sign of life, of a node that was never given up."""
    shown = node(client, node_id)
    assert shown["status"] == "available", "it was not heard in time"
    heard, registered = (datetime.fromisoformat(shown[at]) for at in ("last_heartbeat", "registered_at"))
    return (heard - registered).total_seconds()


def test_a_rarer_interval_than_the_master_allows_is_shortened(farm: Farm) -> None:
    master = farm.master(heartbeat_timeout="1500ms")
    agent = farm.agent(master, "--heartbeat-interval=1h")
    with master.client() as client:
        node_id = agent.node_id
        # Its poll is parked for longer than this: only heartbeats are heard.
        wait_until(lambda: seconds_heard(client, node_id) >= 3, "heartbeats arrive")
