"""An agent that cannot start says why in one line, and ends with 2 for bad flags and 1 for the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.masters import Master
from tests.system.farm import Farm

NOBODY = "https://localhost:1"


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--poll-interval=10", "'10' is not a duration; write 10s, 1m30s, 500ms, 2h or 30d"),
        ("--heartbeat-interval=0s", "'0s' is not a duration"),
        ("--drain-timeout=-1s", "'-1s' is not a duration"),
        ("--keep-outputs=forever", "'forever' is not a duration"),
        ("--keep-outputs-size=much", "'much' is no size; write 500M, 200G or 1.5T"),
        ("--label=colour", "'colour' is no label; write name=value"),
        ("--label==red", "'=red' is no label; write name=value"),
        ("--master=ftp://localhost", "'ftp://localhost' is no master; write https://HOST:8080"),
        ("--master=https://localhost:99999", "has no valid port"),
        ("--master=https://localhost:8080/jobs", "has more than host and port"),
        ("--max-concurrent-jobs=0", "0 is not in the range 1<=x<=200"),
        ("--ca-cert=no-such-file.pem", "'no-such-file.pem' does not exist"),
        ("--log-level=loud", "'loud' is not one of"),
        ("--media-root=/srv/films", "'/srv/films' is no media root; write NAME=/path"),
        ("--media-root=films=srv", "'films=srv' is no media root; write NAME=/path"),
        ("--media-root=fi/lms=/srv", "a media root is named by 1 to 63 letters, digits and ._-"),
        ("--input-host=ftp://example.com", "'ftp://example.com' is no host; write example.com"),
        ("--input-host=127.1", "write an IP address as in 192.0.2.1, in no other way"),
        ("--max-input-size=much", "'much' is no size; write 500M, 200G or 1.5T"),
        ("--power-model=65", "'65' is no power model; write idle=WATTS,per_core=WATTS"),
        ("--price-per-kwh=-1", "'-1' is no price; write it as 0.30"),
        ("--price-per-hour=nan", "'nan' is no price; write it as 0.30"),
        ("--price-per-hour=1", "a price needs its currency: --currency EUR"),
        ("--currency=euro", "'euro' is no currency; write three letters, as EUR"),
    ],
)
def test_a_bad_flag_is_named(farm: Farm, flag: str, said: str) -> None:
    agent = farm.agent(NOBODY, flag)
    assert agent.ends() == 2
    assert said in agent.log
    assert not agent.state_dir.exists()


def test_an_unregistered_agent_is_told_to_register(farm: Farm) -> None:
    agent = farm.agent(NOBODY, how=())
    assert agent.ends() == 1
    assert agent.log == (
        f"agent: this machine is not registered with {NOBODY}; start the agent with --register\n"
    )


def test_a_second_agent_with_the_same_state_is_refused(farm: Farm, quiet_master: Master) -> None:
    assert farm.agent(quiet_master).node_id
    second = farm.agent(quiet_master)
    assert second.ends() == 1
    assert f"another agent runs with the state directory {second.state_dir}; stop it" in second.log


def test_a_work_directory_that_cannot_be_written_is_named(farm: Farm, tmp_path: Path) -> None:
    (tmp_path / "worker-work").symlink_to("/proc/no-such-place")
    agent = farm.agent(NOBODY)
    assert agent.ends() == 1
    assert f"agent: cannot write the work directory {agent.work_dir}: " in agent.log
    assert "choose another with --work-dir" in agent.log


def test_a_state_directory_that_cannot_be_written_is_named(farm: Farm, tmp_path: Path) -> None:
    (tmp_path / "worker").symlink_to("/proc/no-such-place")
    agent = farm.agent(NOBODY)
    assert agent.ends() == 1
    assert f"agent: cannot write the state directory {agent.state_dir}: " in agent.log
    assert "choose another with --state-dir" in agent.log


def test_a_damaged_identity_is_named(farm: Farm, tmp_path: Path) -> None:
    identity = tmp_path / "worker/localhost_1/identity.json"
    identity.parent.mkdir(parents=True)
    identity.write_text('{"node_id": ')
    agent = farm.agent(NOBODY)
    assert agent.ends() == 1
    assert f"agent: cannot read {identity}: " in agent.log
    assert "delete it to register as a new node" in agent.log


def test_a_machine_without_setpriv_is_told_what_to_install(farm: Farm, quiet_master: Master) -> None:
    agent = farm.agent(quiet_master, environment={"PATH": "/nowhere"})
    assert agent.ends() == 1
    assert agent.log.endswith("agent: setpriv was not found; install the package util-linux\n")
