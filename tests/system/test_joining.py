"""An agent with a join token works at once, shows it to its own master only, and says why it is refused."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from common.tokens import parse, render
from master import tls
from tests.masters import Client, Master, free_port, start_master, wait_until
from tests.system.farm import ENDLESS, HERE, TINY, Agent, Farm, encoding, job_is, node, submit


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """A master that lets nobody in for being on its machine."""
    master = start_master(tmp_path_factory.mktemp("strict") / "master", auth="required")
    yield master
    master.stop()


@pytest.fixture
def operator(strict: Master) -> Iterator[Client]:
    with strict.client(strict.token) as client:
        yield client


def token(operator: Client, **fields: Any) -> dict[str, Any]:
    answer = operator.post("/tokens", json=fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def written(folder: Path, text: str) -> str:
    """The flag that names a file with `text`."""
    file = folder / "token"
    file.write_text(text + "\n")
    file.chmod(0o600)
    return f"--join-token-file={file}"


def test_it_works_at_once_and_without_trust_at_first_use(
    farm: Farm, strict: Master, operator: Client, tmp_path: Path
) -> None:
    agent = farm.agent(strict, "--label=here=first", written(tmp_path, token(operator)["token"]))
    job_id = submit(operator, TINY, constraints={"labels": {"here": "first"}})
    assert job_is(operator, job_id, "completed")["node_id"] == agent.node_id
    assert "first use" not in agent.log
    assert list(agent.state_dir.glob("*/ca.pem"))


def test_it_can_come_in_the_environment_which_no_child_inherits(
    farm: Farm, strict: Master, operator: Client
) -> None:
    text = token(operator)["token"]
    agent = farm.agent(strict, "--label=here=only", environment={"FFRTMP_JOIN_TOKEN": text})
    assert node(operator, agent.node_id)["status"] == "available"
    job_id = submit(operator, ENDLESS, constraints={"labels": {"here": "only"}})
    environment = Path(f"/proc/{encoding(agent, job_id)}/environ").read_bytes()
    assert b"PATH=" in environment
    assert b"FFRTMP_JOIN_TOKEN" not in environment
    assert operator.post(f"/jobs/{job_id}/cancel").ok
    secret = parse(text).secret
    assert secret not in agent.log
    assert secret not in strict.log.read_text()


def test_once_in_it_needs_the_token_no_more_and_is_not_disturbed_by_a_bad_one(
    farm: Farm, strict: Master, operator: Client, tmp_path: Path
) -> None:
    flag = written(tmp_path, token(operator)["token"])
    agent = farm.agent(strict, flag)
    node_id = agent.node_id
    (kept,) = agent.state_dir.glob("*/identity.json")
    wait_until(lambda: '"joined": true' in kept.read_text(), "it has noted that it is in")
    for text in (Path(flag.partition("=")[2]).read_text(), "nonsense", render("ab" * 32, "s" * 43)):
        agent.kill()
        agent = farm.agent(strict, written(tmp_path, text), "--log-level=debug", how=HERE)
        assert agent.node_id == node_id
    assert node(operator, node_id)["status"] == "available"


class Eavesdropper:
    """A TLS server with a CA of its own that notes every byte that it is sent."""

    def __init__(self, folder: Path) -> None:
        names = tls.Names(frozenset({"localhost"}), frozenset({"127.0.0.1"}))
        made = tls.ensure_certificates(folder, names, datetime.now(UTC))
        self._context = tls.server_context(made.chain, made.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self.shaken_hands = 0
        self.heard = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                raw, _ = self._listener.accept()
                with suppress(OSError, ssl.SSLError), raw:
                    raw.settimeout(10)
                    with self._context.wrap_socket(raw, server_side=True) as tunnel:
                        self.shaken_hands += 1
                        while data := tunnel.recv(65536):
                            self.heard += data


@pytest.fixture
def eavesdropper(tmp_path: Path) -> Iterator[Eavesdropper]:
    server = Eavesdropper(tmp_path / "eavesdropper")
    yield server
    server.close()


def test_another_master_is_told_nothing(
    farm: Farm, operator: Client, eavesdropper: Eavesdropper, tmp_path: Path
) -> None:
    agent = farm.agent(eavesdropper.url, written(tmp_path, token(operator)["token"]))
    assert agent.ends() == 1
    assert "agent: the token is of another master" in agent.log.splitlines()[-1]
    assert eavesdropper.shaken_hands == 1
    assert eavesdropper.heard == b""
    assert not list(agent.state_dir.glob("*/ca.pem"))


def test_not_even_one_whose_ca_was_trusted_before(
    farm: Farm, strict: Master, quiet_master: Master, tmp_path: Path
) -> None:
    with quiet_master.client() as other:
        text = token(other)["token"]
    first = farm.agent(strict)
    assert "waits for an operator's approval" in first.says("approval")
    first.kill()
    agent = farm.agent(strict, written(tmp_path, text))
    assert agent.ends() == 1
    assert "agent: the token is of another master" in agent.log.splitlines()[-1]


def test_a_named_ca_must_be_the_tokens_too(
    farm: Farm, strict: Master, operator: Client, quiet_master: Master, tmp_path: Path
) -> None:
    ca = f"--ca-cert={strict.ca}"
    with quiet_master.client() as other:
        agent = farm.agent(strict, ca, written(tmp_path, token(other)["token"]), name="wrong")
    assert agent.ends() == 1
    assert "agent: the token is of another master" in agent.log.splitlines()[-1]
    agent = farm.agent(strict, ca, written(tmp_path, token(operator)["token"]), name="right")
    assert node(operator, agent.node_id)["status"] == "available"


def expired(operator: Client) -> str:
    made = token(operator, ttl=1)

    def over() -> bool:
        listed = operator.get("/tokens").json()["tokens"]
        return any(each["id"] == made["id"] and each["status"] == "expired" for each in listed)

    wait_until(over, "the token has expired")
    return str(made["token"])


def revoked(operator: Client) -> str:
    made = token(operator)
    assert operator.delete(f"/tokens/{made['id']}").status_code == 204
    return str(made["token"])


def used_up(operator: Client) -> str:
    made = token(operator)
    with Client(operator.url, Path(str(operator.verify)), made["token"]) as joiner:
        sent = {"address": "first", "credential": made["id"] + "x" * 20}
        assert joiner.post("/nodes/register", json=sent).status_code == 201
    return str(made["token"])


def of_no_master(operator: Client) -> str:
    parts = parse(token(operator)["token"])
    return render(str(parts.fingerprint), "s" * 43)


def a_viewers(operator: Client) -> str:
    return str(token(operator, role="viewer")["token"])


def cut_short(operator: Client) -> str:
    return str(token(operator)["token"])[:-1]


def no_token(_: Client) -> str:
    return "correct horse battery staple"


REFUSALS = {
    expired: "has expired. An operator makes another: ffrtmp tokens create --role join",
    revoked: "was revoked by an operator. An operator makes another: ffrtmp tokens create --role join",
    used_up: "has let in as many nodes as it was made for. An operator makes another",
    of_no_master: "is not known here: a token may be cut short, or be of another master",
    a_viewers: "A token of the role viewer lets no node in; a join token does",
    cut_short: "agent: the join token is a part of a token only, or was changed; copy it whole",
    no_token: "agent: the join token is not a token; one begins with ffrtmp1.",
}


@pytest.mark.parametrize("made", REFUSALS, ids=lambda made: made.__name__)
def test_a_token_that_is_worth_nothing_ends_the_agent_with_the_reason(
    farm: Farm, strict: Master, operator: Client, tmp_path: Path, made: Any
) -> None:
    text = made(operator)
    before = operator.get("/nodes").json()["count"]
    agent = farm.agent(strict, written(tmp_path, text))
    assert agent.ends() == 1
    assert REFUSALS[made] in agent.log.splitlines()[-1]
    assert operator.get("/nodes").json()["count"] == before


def test_a_master_that_is_away_is_waited_for(farm: Farm, tmp_path: Path) -> None:
    master = farm.master(auth="required")
    with master.client(master.token) as operator:
        text = token(operator)["token"]
    master.stop()
    agent = farm.agent(master, written(tmp_path, text))
    agent.says("Cannot reach the master")
    master = farm.master(auth="required")
    with master.client(master.token) as operator:
        wait_until(lambda: "Registered with" in agent.log, "it joins", 40)
        assert node(operator, agent.node_id)["status"] == "available"


def start_and_end(farm: Farm, *flags: str, **environment: str) -> Agent:
    agent = farm.agent(f"https://localhost:{free_port()}", *flags, environment=environment)
    assert agent.ends() == 2
    return agent


def test_a_file_that_is_not_there_and_two_tokens_are_usage_errors(farm: Farm, tmp_path: Path) -> None:
    assert "does not exist" in start_and_end(farm, f"--join-token-file={tmp_path / 'none'}").log
    flag = written(tmp_path, "x")
    assert "both give a token" in start_and_end(farm, flag, FFRTMP_JOIN_TOKEN="y").log
