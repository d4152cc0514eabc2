"""A web page whose name leads here (DNS rebinding) gets nothing: the master answers to its own names only."""

from __future__ import annotations

import socket

import pytest

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import Client, Master

STRANGE = pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8080", "127.0.0.1.nip.io", "[::1"]
)


@pytest.mark.parametrize("path", ["/health", "/jobs", "/nodes/register", "/nothing"])
@STRANGE
def test_a_name_that_is_not_ours_is_refused_everywhere(client: Client, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert "--server-name" in refused(answer, problems.UNKNOWN_HOST)["detail"]


@STRANGE
def test_who_is_at_a_browser_is_told_on_a_page(client: Client, host: str) -> None:
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == problems.UNKNOWN_HOST.status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "--server-name" in answer.text
    assert "queue" not in answer.text.lower()


def test_nothing_is_queued_under_a_strange_name(client: Client) -> None:
    before = got(client.get("/jobs", params={"limit": 1}))["count"]
    sent = {"scenario": "720p-h264"}
    refused(client.post("/jobs", json=sent, headers={"Host": "evil.example"}), problems.UNKNOWN_HOST)
    assert got(client.get("/jobs", params={"limit": 1}))["count"] == before


def test_the_machines_own_name_and_every_address_are_known(client: Client) -> None:
    for host in (socket.gethostname(), "192.0.2.77:8080", "[2001:db8::7]"):
        got(client.get("/health", headers={"Host": host}))


def test_who_shows_a_credential_may_use_any_name(master: Master, corner: Corner) -> None:
    """No page has it to send; and agents may know the master by an alias that it does not know of."""
    with master.client(master.token) as operator:
        got(operator.get("/jobs", headers={"Host": "alias.example"}))
    credential = f"alias-of-a-node-{corner.labels['corner']}"
    node = corner.register(credential=credential)
    with master.client(credential) as agent:
        got(agent.post(f"/nodes/{node['id']}/heartbeat", headers={"Host": "alias.example"}))


def test_a_wrong_credential_opens_no_name(master: Master) -> None:
    with master.client("w" * 43) as wrong:
        refused(wrong.post("/nodes/register", headers={"Host": "evil.example"}), problems.UNKNOWN_HOST)
