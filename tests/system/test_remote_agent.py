"""An agent on another machine works without a warning, once the master's operator has approved it.

The other machine is a network namespace: its interfaces, and so its addresses, are its own.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.parts import missing
from tests.system.farm import TINY, Farm, job, job_is, node, submit


@dataclass(frozen=True)
class OtherMachine:
    """A network namespace, and the addresses of the wire between it and this machine."""

    name: str
    here: str
    there: str

    @property
    def inside(self) -> list[str]:
        """What runs a command there."""
        return ["ip", "netns", "exec", self.name]

    def curl(self, *arguments: str) -> str:
        command = [*self.inside, "curl", "--noproxy", "*", "-s", "-k", "--max-time", "20", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True, timeout=20)


@pytest.fixture
def other_machine() -> Iterator[OtherMachine]:
    if os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("curl")):
        missing("root, iproute2 and curl are needed")
    tag = secrets.token_hex(3)
    third, fourth = secrets.randbelow(256), 4 * secrets.randbelow(64)
    made = OtherMachine(f"ffrtmp-{tag}", f"10.77.{third}.{fourth + 1}", f"10.77.{third}.{fourth + 2}")
    wire_here, wire_there = f"ffh{tag}", f"fft{tag}"
    try:
        try:
            ip("netns", "add", made.name)
            ip("link", "add", wire_here, "type", "veth", "peer", "name", wire_there, "netns", made.name)
        except subprocess.CalledProcessError as error:
            missing(f"no network namespace can be made here: {error.stderr!r}")
        ip("addr", "add", f"{made.here}/30", "dev", wire_here)
        ip("link", "set", wire_here, "up")
        for command in (f"addr add {made.there}/30 dev {wire_there}", f"link set {wire_there} up"):
            ip("-n", made.name, *command.split())
        yield made
    finally:
        ip("link", "del", wire_here, check=False)
        ip("netns", "del", made.name, check=False)


def test_a_remote_agent_works_once_it_is_approved(farm: Farm, other_machine: OtherMachine) -> None:
    master = farm.master()
    url = f"http://{other_machine.here}:{master.port}"
    # An unapproved node is not parked: it asks, and asks again.
    agent = farm.agent(url, "--poll-interval=500ms", how=["--register"], inside=other_machine.inside)
    agent.says(f"ffrtmp nodes approve {agent.node_id}")
    assert "WARNING" not in agent.log
    with master.client() as client:
        assert node(client, agent.node_id)["status"] == "unapproved"
        job_id = submit(client, TINY)
        assert "approve" in job(client, job_id)["pending_reason"]
        assert job(client, job_id)["status"] == "pending"
        assert client.post(f"/nodes/{agent.node_id}/approve").json()["status"] == "available"
        assert job_is(client, job_id, "completed")["node_id"] == agent.node_id


def test_a_remote_caller_without_a_credential_is_refused(farm: Farm, other_machine: OtherMachine) -> None:
    master = farm.master()
    url = f"https://{other_machine.here}:{master.port}"
    shown = other_machine.curl("-w", "\n%{http_code} %{content_type}", f"{url}/jobs")
    body, _, status = shown.rpartition("\n")
    assert status == "401 application/problem+json"
    assert "urn:ffrtmp:problem:unauthenticated" in body
    # Saying to be localhost does not help.
    assert other_machine.curl(
        "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: localhost", f"{url}/jobs"
    ) == ("401")
    assert other_machine.curl(f"{url}/health") == '{"status":"healthy"}'


def test_a_remote_plain_request_is_sent_to_https(farm: Farm, other_machine: OtherMachine) -> None:
    master = farm.master()
    shown = other_machine.curl(
        "-w", "\n%{http_code} %{redirect_url}", f"http://{other_machine.here}:{master.port}/health"
    )
    body, _, status = shown.rpartition("\n")
    assert status == f"308 https://{other_machine.here}:{master.port}/health"
    assert "urn:ffrtmp:problem:use_https" in body
