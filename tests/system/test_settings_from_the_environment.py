"""Every flag of the agent can be set in the environment as well, as `FFRTMP_…`."""

from __future__ import annotations

from tests.masters import Client, Master
from tests.system.farm import Farm, node


def test_flags_can_come_from_the_environment(farm: Farm, quiet_master: Master, quiet: Client) -> None:
    agent = farm.agent(
        quiet_master,
        how=(),
        environment={
            "FFRTMP_REGISTER": "true",
            "FFRTMP_ALLOW_MASTER_AS_WORKER": "1",
            "FFRTMP_YES": "yes",
            "FFRTMP_LABEL": "rack=7 room=cellar",
            "FFRTMP_MAX_CONCURRENT_JOBS": "3",
        },
    )
    shown = node(quiet, agent.node_id)
    assert shown["labels"].items() >= {"rack": "7", "room": "cellar"}.items()
    assert shown["max_concurrent_jobs"] == 3


def test_the_command_line_wins_over_the_environment(farm: Farm, quiet_master: Master, quiet: Client) -> None:
    agent = farm.agent(
        quiet_master, "--max-concurrent-jobs=2", environment={"FFRTMP_MAX_CONCURRENT_JOBS": "3"}
    )
    assert node(quiet, agent.node_id)["max_concurrent_jobs"] == 2
