"""An agent on the master's machine warns and asks first, and only a yes makes it a worker."""

from __future__ import annotations

import subprocess

import pytest

from tests.masters import Client, Master
from tests.system.farm import Agent, Farm, node

NOBODY = "https://localhost:1"
"""No master answers there, and none is needed to be warned."""
ASKING = ("--register", "--allow-master-as-worker")
WARNING = """\
⚠️  WARNING: Master node detected as worker!
━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
You are attempting to register the master node as a compute worker.
This configuration is intended for DEVELOPMENT/TESTING ONLY.

Risks:
  • Master and worker compete for CPU/memory resources
  • Heavy workloads may impact master API responsiveness
  • Not recommended for production environments

Recommended: Run workers on separate machines in production.
━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━

Do you want to continue? (yes/no): """


def answer(agent: Agent, text: str) -> None:
    assert agent.process.stdin is not None
    agent.process.stdin.write(text)
    agent.process.stdin.close()


def kept(agent: Agent) -> bool:
    return agent.state_dir.exists()


def test_without_the_flag_it_stops_and_prints_the_command_to_use(farm: Farm) -> None:
    agent = farm.agent(NOBODY, how=["--register"])
    assert agent.ends() == 1
    assert "localhost is this machine" in agent.log
    assert f"  ./bin/agent --register --master {NOBODY} --allow-master-as-worker\n" in agent.log
    assert not kept(agent)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "0.0.0.0", "127.1.2.3"])
def test_any_address_of_this_machine_counts(farm: Farm, host: str) -> None:
    agent = farm.agent(f"https://{host}:1", how=["--register"])
    assert agent.ends() == 1
    assert "is this machine" in agent.log


def test_a_yes_makes_it_a_worker(farm: Farm, quiet_master: Master, quiet: Client) -> None:
    agent = farm.agent(quiet_master, how=ASKING, stdin=subprocess.PIPE)
    agent.says("Do you want to continue? (yes/no):")
    assert agent.log == WARNING
    answer(agent, "yes\n")
    assert node(quiet, agent.node_id)["status"] == "available"


@pytest.mark.parametrize("text", ["no\n", "\n", "yeah, why not\n", ""])
def test_anything_but_a_yes_is_a_no(farm: Farm, text: str) -> None:
    agent = farm.agent(NOBODY, how=ASKING, stdin=subprocess.PIPE)
    answer(agent, text)
    assert agent.ends() == 1
    assert agent.log.startswith(WARNING)
    assert "not registered; nothing was changed" in agent.log
    assert not kept(agent)


def test_no_stdin_at_all_is_a_no(farm: Farm) -> None:
    agent = farm.agent(NOBODY, how=ASKING, inside=["/bin/sh", "-c", 'exec "$0" "$@" <&-'])
    assert agent.ends() == 1
    assert "not registered; nothing was changed" in agent.log


def test_yes_as_a_flag_answers_for_scripts(farm: Farm, quiet_master: Master, quiet: Client) -> None:
    agent = farm.agent(quiet_master, how=[*ASKING, "--yes"])
    assert node(quiet, agent.node_id)["status"] == "available"
    assert f"{WARNING}yes\n" in agent.log
