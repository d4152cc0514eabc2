"""A client trusts the CA it pinned or was given, and nothing else, and can say why not."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from common.trust import PinnedAdapter, TrustError, ca_of, explain, fetch_chain, fingerprint, pin
from master.tls import Names, ensure_certificates, local_names
from tests.masters import wait_until
from tests.serving.conftest import Server, receive


def get(url: str, ca_file: Path, check_hostname: bool) -> requests.Response:
    with requests.Session() as session:
        session.mount("https://", PinnedAdapter(ca_file, check_hostname))
        return session.get(url, timeout=5)


def why_refused(url: str, ca_file: Path, check_hostname: bool) -> str:
    with pytest.raises(requests.exceptions.SSLError) as refused:
        get(url, ca_file, check_hostname)
    return explain(refused.value)


def elsewhere(launch: Callable[..., Server], state_dir: Path, made: datetime | None = None) -> Server:
    """A server whose certificate has no name that it is reached by, or is of another time."""
    names = Names(frozenset({"elsewhere.invalid"}), frozenset())
    ensure_certificates(state_dir, names, made or datetime.now(UTC))
    (state_dir / "keep").touch()
    server = launch()

    def answers() -> bool:
        try:
            return bool(fetch_chain("localhost", server.port, 5))
        except OSError:
            return False

    wait_until(answers, "the server answers")
    return server


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """The CA of another master."""
    made = ensure_certificates(tmp_path / "other", local_names(), datetime.now(UTC))
    return made.ca


def test_the_first_pin_is_fetched_and_kept_private(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "new/ca.pem"
    first = pin("localhost", server.port, file)
    assert first.first_use
    assert first.fingerprint == fingerprint(x509.load_pem_x509_certificate(server.ca.read_bytes()))
    assert file.stat().st_mode & 0o777 == 0o600
    kept = pin("nobody.invalid", 1, file)
    assert (kept.first_use, kept.fingerprint) == (False, first.fingerprint)


def test_a_pin_does_not_care_for_names(launch: Callable[..., Server], tmp_path: Path) -> None:
    server = elsewhere(launch, tmp_path)
    pinned = pin("localhost", server.port, tmp_path / "pin.pem")
    assert get(server.url + "/health", pinned.ca_file, check_hostname=False).ok


def test_a_given_ca_verifies_the_master_by_its_names(server: Server) -> None:
    for host in ("localhost", "127.0.0.1"):
        assert get(f"https://{host}:{server.port}/health", server.ca, check_hostname=True).ok


def test_a_given_ca_refuses_a_name_that_is_not_in_the_certificate(
    launch: Callable[..., Server], tmp_path: Path
) -> None:
    server = elsewhere(launch, tmp_path)
    assert "does not carry that name" in why_refused(server.url, server.ca, check_hostname=True)


def test_another_ca_is_refused_and_the_file_to_delete_is_named(server: Server, stranger: Path) -> None:
    said = why_refused(server.url, stranger, check_hostname=False)
    assert said == (
        f"the certificate of localhost:{server.port} is not signed by the CA pinned in {stranger}; if the "
        f"master was set up anew, delete {stranger} and start again, otherwise somebody else is answering"
    )


def test_another_given_ca_is_refused(server: Server, stranger: Path) -> None:
    said = why_refused(server.url, stranger, check_hostname=True)
    assert said.startswith(f"the CA in {stranger} did not sign the certificate of localhost:{server.port}")


def test_neither_verify_nor_the_environment_can_widen_the_trust(
    server: Server, stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.ca))
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))
    for verify in (False, True, str(server.ca)):
        with requests.Session() as session:
            session.mount("https://", PinnedAdapter(stranger, check_hostname=False))
            with pytest.raises(requests.exceptions.SSLError):
                session.get(server.url, timeout=5, verify=verify)


def test_an_expired_certificate_is_explained(launch: Callable[..., Server], tmp_path: Path) -> None:
    server = elsewhere(launch, tmp_path, datetime.now(UTC) - timedelta(days=5000))
    assert "has expired" in why_refused(server.url, server.ca, check_hostname=False)


def test_renewed_certificates_are_loaded_while_serving(launch: Callable[..., Server], tmp_path: Path) -> None:
    server = elsewhere(launch, tmp_path, datetime.now(UTC) - timedelta(days=3000))
    pinned = pin("localhost", server.port, tmp_path / "pin.pem")
    before = fetch_chain("localhost", server.port, 5)
    ensure_certificates(tmp_path, local_names(), datetime.now(UTC))
    careless = ssl.create_default_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    with careless.wrap_socket(server.connect()) as open_meanwhile:
        open_meanwhile.sendall(b"GET /renew HTTP/1.1\r\nHost: localhost\r\n\r\n")
        receive(open_meanwhile, b'{"status": "healthy"}')
        after = fetch_chain("localhost", server.port, 5)
        open_meanwhile.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        receive(open_meanwhile, b'{"status": "healthy"}')
    assert not {cert.serial_number for cert in before} & {cert.serial_number for cert in after}
    assert fingerprint(ca_of(after)) == pinned.fingerprint
    assert get(server.url + "/health", pinned.ca_file, check_hostname=False).ok


def test_a_damaged_pin_says_which_file_to_delete(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"")
    with pytest.raises(TrustError, match="is damaged; delete it"):
        pin("localhost", 1, tmp_path / "ca.pem")


def test_a_ca_file_without_a_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hello")
    with pytest.raises(TrustError, match="holds no certificate in PEM form"):
        PinnedAdapter(tmp_path / "ca.pem", check_hostname=True)
    with pytest.raises(TrustError, match="does not exist"):
        PinnedAdapter(tmp_path / "none.pem", check_hostname=True)


def test_a_chain_without_its_ca_asks_for_the_ca(server: Server) -> None:
    chain = fetch_chain("localhost", server.port, 5)
    with pytest.raises(TrustError, match="--ca-cert"):
        ca_of(chain[:1])


def test_a_chain_whose_ca_did_not_sign_is_refused(server: Server, stranger: Path) -> None:
    leaf = fetch_chain("localhost", server.port, 5)[0]
    with pytest.raises(TrustError, match="--ca-cert"):
        ca_of([leaf, x509.load_pem_x509_certificate(stranger.read_bytes())])


def test_a_ca_that_issues_for_others_too_cannot_be_pinned() -> None:
    """Without host names, everybody with a certificate of that CA could pose as the master."""
    now, key = datetime.now(UTC), ec.generate_private_key(ec.SECP256R1())
    root = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Company")])

    def signed(subject: x509.Name) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(root).public_key(key.public_key())
        )
        builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        return builder.sign(key, hashes.SHA256())

    leaf = signed(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")]))
    with pytest.raises(TrustError, match="may issue for others too; name it with --ca-cert"):
        ca_of([leaf, signed(root)])


def test_a_server_that_speaks_no_tls_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet() -> None:
            client, _ = other.accept()
            with client:
                client.sendall(b"220 welcome\r\n")

        greeter = threading.Thread(target=greet)
        greeter.start()
        with pytest.raises(TrustError, match="does not answer with TLS"):
            fetch_chain("127.0.0.1", other.getsockname()[1], 5)
        greeter.join()


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        fetch_chain("127.0.0.1", silent.getsockname()[1], 0.2)
