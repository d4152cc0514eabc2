"""The CA and the server certificate: private, strict, renewed in time, and still the same to a pin."""

from __future__ import annotations

import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from common.trust import fingerprint
from master.tls import Certificates, Names, ensure_certificates, local_names

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
NAMES = Names(frozenset({"localhost", "master-1"}), frozenset({"127.0.0.1", "::1", "192.0.2.7"}))
YEAR = timedelta(days=365)


def certs(file: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(file.read_bytes())


def verify(ca: bytes, made: Certificates, when: datetime, *more: str) -> subprocess.CompletedProcess[str]:
    """What OpenSSL itself says of the chain, as a client that trusts `ca` only."""
    trusted = made.ca.with_name("trusted-by-the-test.pem")
    trusted.write_bytes(ca)
    arguments = ["-x509_strict", "-purpose", "sslserver", "-attime", str(int(when.timestamp())), *more]
    return subprocess.run(
        ["openssl", "verify", "-CAfile", trusted, *arguments, made.chain],
        capture_output=True,
        text=True,
        check=False,
    )


def test_keys_are_private_and_directories_closed(tmp_path: Path) -> None:
    made = ensure_certificates(tmp_path, NAMES, NOW)
    assert made.ca.parent.stat().st_mode & 0o777 == 0o700
    files = list(made.ca.parent.iterdir())
    assert {file.name for file in files} == {"ca-key.pem", "ca.pem", "server-key.pem", "server-chain.pem"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


@pytest.mark.parametrize(
    "name", [("-verify_hostname", "master-1"), ("-verify_ip", "192.0.2.7"), ("-verify_ip", "::1")]
)
def test_the_chain_is_valid_under_strict_checks_for_every_name(tmp_path: Path, name: tuple[str, str]) -> None:
    made = ensure_certificates(tmp_path, NAMES, NOW)
    checked = verify(made.ca.read_bytes(), made, NOW, *name)
    assert checked.returncode == 0, checked.stderr


def test_the_chain_is_not_valid_for_another_name(tmp_path: Path) -> None:
    made = ensure_certificates(tmp_path, NAMES, NOW)
    assert verify(made.ca.read_bytes(), made, NOW, "-verify_hostname", "other").returncode != 0


def test_a_strict_python_client_accepts_the_server(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    made = ensure_certificates(tmp_path, NAMES, now)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.chain, made.key)
    client = ssl.create_default_context(cafile=str(made.ca))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(down, up, server_hostname="master-1")
    theirs = server.wrap_bio(up, down, server_side=True)
    for side in (ours, theirs):
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
    ours.do_handshake()
    theirs.do_handshake()
    assert ours.version() == "TLSv1.3"


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    made = ensure_certificates(tmp_path, NAMES, NOW)
    before = {file.name: file.read_bytes() for file in made.ca.parent.iterdir()}
    assert ensure_certificates(tmp_path, NAMES, NOW + timedelta(days=200)) == made
    assert {file.name: file.read_bytes() for file in made.ca.parent.iterdir()} == before


def test_the_lives_are_397_days_and_ten_years(tmp_path: Path) -> None:
    leaf, ca = certs(ensure_certificates(tmp_path, NAMES, NOW).chain)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=397)
    assert ca.not_valid_after_utc - ca.not_valid_before_utc == timedelta(days=3650)


def test_the_server_certificate_is_renewed_in_its_last_third(tmp_path: Path) -> None:
    made = ensure_certificates(tmp_path, NAMES, NOW)
    leaf, ca = certs(made.chain)
    later = NOW + timedelta(days=270)
    assert ensure_certificates(tmp_path, NAMES, later) == made
    renewed, same_ca = certs(made.chain)
    assert renewed.not_valid_after_utc > leaf.not_valid_after_utc
    assert same_ca == ca
    assert verify(made.ca.read_bytes(), made, later + timedelta(days=200)).returncode == 0


def test_a_renewed_ca_is_still_the_one_that_was_pinned(tmp_path: Path) -> None:
    made = ensure_certificates(tmp_path, NAMES, NOW)
    pinned = made.ca.read_bytes()
    later = NOW + 7 * YEAR
    renewed = ensure_certificates(tmp_path, NAMES, later)
    assert renewed.ca.read_bytes() != pinned
    assert renewed.fingerprint == made.fingerprint == fingerprint(certs(renewed.ca)[0])
    for trusted in (pinned, renewed.ca.read_bytes()):
        checked = verify(trusted, renewed, later, "-verify_hostname", "master-1")
        assert checked.returncode == 0, checked.stderr


def test_a_new_name_gets_a_new_certificate_from_the_same_ca(tmp_path: Path) -> None:
    made = ensure_certificates(tmp_path, NAMES, NOW)
    more = Names(NAMES.dns | {"farm.example"}, NAMES.addresses)
    assert ensure_certificates(tmp_path, more, NOW).fingerprint == made.fingerprint
    assert verify(made.ca.read_bytes(), made, NOW, "-verify_hostname", "farm.example").returncode == 0


def test_masters_that_share_a_ca_go_on_with_it_when_one_of_them_has_renewed_it(tmp_path: Path) -> None:
    shared, later = tmp_path / "shared/ca", NOW + 7 * YEAR
    north, south = (ensure_certificates(tmp_path / name, NAMES, NOW, shared) for name in ("north", "south"))
    assert north.fingerprint == south.fingerprint
    assert north.key.read_bytes() != south.key.read_bytes()
    assert not north.ca.with_name("ca-key.pem").exists()
    ensure_certificates(tmp_path / "north", NAMES, later, shared)
    renewed = ensure_certificates(tmp_path / "south", NAMES, later, shared)
    assert renewed.ca.read_bytes() == north.ca.read_bytes() == (shared / "ca.pem").read_bytes()
    assert verify(north.ca.read_bytes(), renewed, later, "-verify_hostname", "master-1").returncode == 0
    assert (shared.stat().st_mode & 0o777, (shared / "ca-key.pem").stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize("file", ["server-chain.pem", "server-key.pem", "ca.pem"])
@pytest.mark.parametrize("damage", ["lost", "empty"])
def test_what_can_be_made_again_is_made_again(tmp_path: Path, file: str, damage: str) -> None:
    made = ensure_certificates(tmp_path, NAMES, NOW)
    broken = made.ca.with_name(file)
    broken.unlink() if damage == "lost" else broken.write_bytes(b"")
    again = ensure_certificates(tmp_path, NAMES, NOW)
    assert again.fingerprint == made.fingerprint
    assert verify(again.ca.read_bytes(), again, NOW, "-verify_hostname", "master-1").returncode == 0
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(again.chain, again.key)


@pytest.mark.parametrize("damage", ["lost", "empty"])
def test_a_lost_ca_key_is_not_silently_replaced(tmp_path: Path, damage: str) -> None:
    key = ensure_certificates(tmp_path, NAMES, NOW).ca.with_name("ca-key.pem")
    key.unlink() if damage == "lost" else key.write_bytes(b"")
    with pytest.raises(ValueError, match="restore it from a backup, or delete"):
        ensure_certificates(tmp_path, NAMES, NOW)


def test_this_machines_names_include_the_loopback_ones() -> None:
    names = local_names()
    assert "localhost" in names.dns
    assert {"127.0.0.1", "::1"} <= names.addresses
