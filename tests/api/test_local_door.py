"""The guide's bare `curl -k https://localhost` needs no token, and nothing else slips in with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import Client, Master, start_master
from tests.parts import missing

NOBODY = 65534


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_the_door_is_open_for_every_name_of_this_machine(master: Master, client: Client, host: str) -> None:
    got(client.get("/jobs", headers={"Host": f"{host}:{master.port}"}))
    got(client.get("/jobs", headers={"Host": host}))


@pytest.mark.parametrize("host", ["192.0.2.1", "[::2]"])
def test_another_address_closes_the_door(client: Client, host: str) -> None:
    refused(client.get("/jobs", headers={"Host": host}), problems.UNAUTHENTICATED)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "localhost"),
        ("X-Forwarded-Proto", "https"),
        ("X-Real-IP", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("Via", "1.1 proxy"),
    ],
)
def test_a_sign_of_a_proxy_closes_the_door(client: Client, name: str, value: str) -> None:
    refused(client.get("/jobs", headers={name: value}), problems.UNAUTHENTICATED)
    refused(
        client.post("/jobs", json={"scenario": "720p-h264"}, headers={name: value}), problems.UNAUTHENTICATED
    )


def test_the_masters_own_pages_come_through_the_door(master: Master, client: Client) -> None:
    got(client.get("/jobs", headers={"Origin": master.url, "Sec-Fetch-Site": "same-origin"}))
    got(client.get("/jobs", headers={"Sec-Fetch-Site": "none"}))


def test_a_node_that_comes_through_the_door_is_approved_and_another_is_not(corner: Corner) -> None:
    sent = {"address": "far", "run_unlabeled": False, "credential": f"far-{corner.labels['corner']}"}
    far = got(corner.client.post("/nodes/register", json=sent, headers={"Via": "1.1 proxy"}), 201)
    assert far["status"] == "unapproved"
    assert corner.register()["status"] == "available"


def curl(master: Master, path: str, *before: str) -> str:
    """The status with which curl is answered."""
    if shutil.which("curl") is None:
        missing("curl is not installed")
    command = [*before, "curl", "-sk", "-o", os.devnull, "-w", "%{http_code}", master.url + path]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True, cwd="/").stdout


def test_the_guides_curl_works_as_written(master: Master) -> None:
    assert curl(master, "/jobs") == "200"


def test_a_program_of_another_user_is_not_let_in(master: Master) -> None:
    if os.geteuid() != 0:
        missing("only root can start a program as another user")
    other = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    assert curl(master, "/jobs", *other) == "401"
    assert curl(master, "/health", *other) == "200"


def test_with_auth_required_there_is_no_door(tmp_path: Path) -> None:
    master = start_master(tmp_path / "state", auth="required")
    try:
        with master.client() as bare, master.client(master.token) as operator:
            refused(bare.get("/jobs"), problems.UNAUTHENTICATED)
            assert bare.get("/health").json() == {"status": "healthy"}
            node = got(bare.post("/nodes/register", json={"address": "worker", "credential": "x" * 40}), 201)
            assert node["status"] == "unapproved"
            refused(bare.post(f"/nodes/{node['id']}/approve"), problems.UNAUTHENTICATED)
            assert got(operator.post(f"/nodes/{node['id']}/approve"))["status"] == "available"
            with master.client("x" * 40) as agent:
                assert got(agent.get("/jobs/next", params={"node_id": node["id"]})) == {"job": None}
    finally:
        assert master.stop() == 0
