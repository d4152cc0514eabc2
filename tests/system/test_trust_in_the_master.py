"""An agent trusts the CA that it was given, or the first that it met, and no other from then on."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509

from common.trust import fingerprint
from tests.masters import Client, Master, start_master
from tests.system.farm import HERE, Farm, node


def test_the_first_ca_it_meets_is_printed_and_kept(farm: Farm, quiet_master: Master, quiet: Client) -> None:
    agent = farm.agent(quiet_master)
    said = agent.says("Trusting the master's CA at first use")
    assert node(quiet, agent.node_id)["status"] == "available"
    ca = x509.load_pem_x509_certificate(quiet_master.ca.read_bytes())
    assert said.endswith(f" {fingerprint(ca)}")
    assert fingerprint(ca) in quiet_master.log.read_text()
    (pin,) = agent.state_dir.glob("*/ca.pem")
    assert x509.load_pem_x509_certificate(pin.read_bytes()) == ca
    assert f"Kept in {pin}" in agent.log


def test_a_kept_ca_is_used_again_without_a_word(farm: Farm, quiet_master: Master) -> None:
    first = farm.agent(quiet_master)
    node_id = first.node_id
    first.kill()
    second = farm.agent(quiet_master, how=())
    assert second.node_id == node_id
    assert "first use" not in second.log


def test_another_master_at_the_same_address_is_refused(farm: Farm, tmp_path: Path) -> None:
    master = farm.master()
    first = farm.agent(master)
    assert first.node_id
    first.kill()
    master.stop()
    other = start_master(tmp_path / "other", port=master.port)
    try:
        agent = farm.agent(other)
        assert agent.ends() == 1
        said = re.sub(r"\s+", " ", agent.log)
        pin = next(agent.state_dir.glob("*/ca.pem"))
        assert (
            f"the certificate of localhost:{master.port} is not signed by the CA pinned in {pin}; "
            f"if the master was set up anew, delete {pin} and start again, "
            "otherwise somebody else is answering" in said
        )
        with other.client() as client:
            assert client.get("/nodes").json()["count"] == 0
    finally:
        other.stop()


def test_an_agent_at_work_gives_nothing_to_another_master(farm: Farm, tmp_path: Path) -> None:
    master = farm.master()
    agent = farm.agent(master)
    assert agent.node_id
    master.stop()
    other = start_master(tmp_path / "other", port=master.port)
    try:
        agent.says("is not signed by the CA pinned in")
        with other.client() as client:
            assert client.get("/nodes").json()["count"] == 0
    finally:
        other.stop()


def test_a_named_ca_is_trusted_without_a_pin(farm: Farm, quiet_master: Master, quiet: Client) -> None:
    agent = farm.agent(quiet_master, f"--ca-cert={quiet_master.ca}")
    assert node(quiet, agent.node_id)["status"] == "available"
    assert "first use" not in agent.log
    assert not list(agent.state_dir.glob("*/ca.pem"))


def test_a_named_ca_of_another_master_is_refused(farm: Farm, quiet_master: Master) -> None:
    master = farm.master()
    agent = farm.agent(quiet_master, f"--ca-cert={master.ca}")
    assert agent.ends() == 1
    peer = f"localhost:{quiet_master.port}"
    assert (
        f"agent: the CA in {master.ca} did not sign the certificate of {peer}; give --ca-cert its CA\n"
        in agent.log
    )


def test_a_named_ca_that_is_no_certificate_is_refused(
    farm: Farm, quiet_master: Master, tmp_path: Path
) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    agent = farm.agent(quiet_master, f"--ca-cert={nonsense}")
    assert agent.ends() == 1
    assert f"agent: {nonsense} holds no certificate in PEM form; is it the master's ca.pem?\n" in agent.log


def test_nothing_in_the_environment_changes_it(
    farm: Farm, quiet_master: Master, quiet: Client, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine localhost login somebody password secret\n")
    netrc.chmod(0o600)
    nowhere = "http://127.0.0.1:1"
    agent = farm.agent(
        quiet_master,
        how=["--register", *HERE],
        environment={
            "REQUESTS_CA_BUNDLE": str(tmp_path / "no-such-bundle.pem"),
            "CURL_CA_BUNDLE": str(tmp_path / "no-such-bundle.pem"),
            "HTTPS_PROXY": nowhere,
            "https_proxy": nowhere,
            "ALL_PROXY": nowhere,
            "NO_PROXY": "",
            "no_proxy": "",
            "NETRC": str(netrc),
            "HOME": str(tmp_path),
        },
    )
    assert node(quiet, agent.node_id)["status"] == "available"
