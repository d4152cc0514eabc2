"""The master's own CA and server certificate: made at first start, renewed in time.

The CA's key stays for good (every pin and join token is its fingerprint); what is
renewed is the certificate around it. Signed with `cryptography`.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from common.ip import is_address
from common.trust import CA_ORGANIZATION, fingerprint, write_private

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=397)
_SLACK = timedelta(hours=1)
"""Certificates begin this much earlier, for workers whose clocks are behind."""
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: forward secrecy and AEAD only. TLS 1.3 has no others."""
_DNS_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*")


@dataclass(frozen=True, slots=True)
class Names:
    """What the server certificate must be valid for."""

    dns: frozenset[str]
    addresses: frozenset[str]
    """IP addresses in their usual text form."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """The files to serve with, and the CA's fingerprint."""

    ca: Path
    chain: Path
    """The server certificate, then the CA: the CA is sent so that clients can pin it."""
    key: Path
    fingerprint: str
    """See `common.trust.fingerprint`."""


def local_names(others: Iterable[str] = ()) -> Names:
    """The names and addresses this machine has now, `localhost` always among them, and `others`."""
    given = set(others)
    names = {"localhost", socket.gethostname(), socket.getfqdn()}
    names |= {name for name in given if not is_address(name)}
    addresses = {
        entry.address
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        # An address with a scope is link-local, and a URL cannot carry it.
        if entry.family in (socket.AF_INET, socket.AF_INET6) and "%" not in entry.address
    }
    addresses |= {str(ipaddress.ip_address(name)) for name in given if is_address(name)}
    return Names(
        dns=frozenset(name.lower() for name in names if _DNS_NAME.fullmatch(name)),
        addresses=frozenset(addresses | {"127.0.0.1", "::1"}),
    )


def is_name(text: str) -> bool:
    """Whether `text` is a DNS name or an address, as a certificate can have it."""
    return is_address(text) or _DNS_NAME.fullmatch(text) is not None


def dns_names(chain: Path) -> set[str]:
    """The DNS names in the first certificate of `chain`."""
    for cert in _read_chain(chain)[:1]:
        with suppress(x509.ExtensionNotFound):
            found = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            return set(found.get_values_for_type(x509.DNSName))
    return set()


def ensure_certificates(
    state_dir: Path, names: Names, now: datetime, ca_dir: Path | None = None
) -> Certificates:
    """The CA and a server certificate for `names`, made or renewed where needed.

    They lie in `<state_dir>/tls` (0700, files 0600). `ca_dir`: where the CA of several masters lies, who
    use it one after the other; `tls` has a copy of its certificate then. The server certificate is issued
    again when less than a third of its life is left, a name is missing, or it does not
    fit its key or the CA; the CA certificate likewise, always with the same key and
    subject. Raises ValueError when the CA's key is lost or damaged, OSError when
    nothing can be written.
    """
    folder = state_dir / "tls"
    ca_dir = folder if ca_dir is None else ca_dir
    for each in {folder, ca_dir}:
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
        each.chmod(0o700)
    ca_file, chain_file = ca_dir / "ca.pem", folder / "server-chain.pem"
    ca_key = _ca_key(ca_dir / "ca-key.pem", ca_file)
    ca = _first_cert(ca_file)
    if ca is None or not _fresh(ca, now) or ca.public_key() != ca_key.public_key():
        ca = _issue_ca(ca_key, ca, now)
        write_private(ca_file, ca.public_bytes(Encoding.PEM))
    if ca_dir != folder and _first_cert(folder / "ca.pem") != ca:
        write_private(folder / "ca.pem", ca.public_bytes(Encoding.PEM))
    key_file = folder / "server-key.pem"
    key = _read_key(key_file) or _make_key(key_file)
    chain = _read_chain(chain_file)
    if not _serves(chain, ca, key, names, now):
        leaf = _issue_leaf(key, ca, ca_key, names, now)
        write_private(chain_file, leaf.public_bytes(Encoding.PEM) + ca.public_bytes(Encoding.PEM))
    return Certificates(folder / "ca.pem", chain_file, key_file, fingerprint(ca))


def _serves(
    chain: list[x509.Certificate],
    ca: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    names: Names,
    now: datetime,
) -> bool:
    """Whether the chain can stay as it is."""
    if len(chain) != 2 or chain[1] != ca or chain[0].public_key() != key.public_key():
        return False
    try:
        alternatives = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    missing = names.dns - set(alternatives.get_values_for_type(x509.DNSName)) or (
        {ipaddress.ip_address(a) for a in names.addresses}
        - set(alternatives.get_values_for_type(x509.IPAddress))
    )
    return not missing and _fresh(chain[0], now)


def _fresh(cert: x509.Certificate, now: datetime) -> bool:
    """Whether it is valid, and more than a third of its life is left."""
    life = cert.not_valid_after_utc - cert.not_valid_before_utc
    return cert.not_valid_before_utc <= now <= cert.not_valid_after_utc - life / 3


def _issue_ca(
    key: ec.EllipticCurvePrivateKey, before: x509.Certificate | None, now: datetime
) -> x509.Certificate:
    public = key.public_key()
    if before is not None and before.public_key() == public:
        # Old pins find the issuer of new server certificates by this very subject.
        subject = before.subject
    else:
        # The key's own name keeps two masters' CAs apart in one trust store.
        name = x509.SubjectKeyIdentifier.from_public_key(public).digest.hex()[:16]
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, CA_ORGANIZATION),
                x509.NameAttribute(NameOID.COMMON_NAME, f"ffmpeg-rtmp CA {name}"),
            ]
        )
    return (
        _builder(public, subject, now, CA_LIFE)
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _issue_leaf(
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: Names,
    now: datetime,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ffmpeg-rtmp master")])
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in sorted(names.dns)]
    alternatives += [x509.IPAddress(ipaddress.ip_address(a)) for a in sorted(names.addresses)]
    return (
        _builder(key.public_key(), subject, now, LEAF_LIFE)
        .issuer_name(ca.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(
            # By key only, without serial number: so it fits the CA's certificate after a renewal too.
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )


def _builder(
    public: ec.EllipticCurvePublicKey, subject: x509.Name, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    start = now.replace(microsecond=0) - _SLACK
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _ca_key(file: Path, ca_file: Path) -> ec.EllipticCurvePrivateKey:
    key = _read_key(file)
    if key is None and (file.exists() or ca_file.exists()):
        raise ValueError(
            f"the CA's key {file} is missing or damaged, and every agent trusts that key; restore it from "
            f"a backup, or delete {file.parent} to begin with a new CA (agents must then pin anew)"
        )
    return key or _make_key(file)


def _make_key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def _read_key(file: Path) -> ec.EllipticCurvePrivateKey | None:
    """None when there is no file, or none that can be used."""
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _read_chain(file: Path) -> list[x509.Certificate]:
    """Empty when there is no file, or none that can be used."""
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return []


def _first_cert(file: Path) -> x509.Certificate | None:
    return next(iter(_read_chain(file)), None)


def check_pair(cert: Path, key: Path, now: datetime) -> None:
    """That an operator's own certificate chain and key can be served with; else ValueError."""
    texts: dict[Path, bytes] = {}
    for flag, file in (("--tls-cert", cert), ("--tls-key", key)):
        try:
            texts[file] = file.read_bytes()
        except OSError as error:
            raise ValueError(f"{flag} {file} cannot be read: {error.strerror}") from error
    try:
        leaf = x509.load_pem_x509_certificates(texts[cert])[0]
    except ValueError as error:
        raise ValueError(f"--tls-cert {cert} holds no certificate in PEM form") from error
    try:
        private = load_pem_private_key(texts[key], password=None)
    except TypeError as error:
        raise ValueError(f"--tls-key {key} is encrypted; give a key without a passphrase") from error
    except ValueError as error:
        raise ValueError(f"--tls-key {key} holds no private key in PEM form") from error
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        raise ValueError(
            f"--tls-key {key} does not belong to the first certificate in --tls-cert {cert}; "
            "the server's own certificate must come first"
        )
    if leaf.not_valid_after_utc < now:
        raise ValueError(f"--tls-cert {cert} expired on {leaf.not_valid_after_utc:%Y-%m-%d}; renew it")


def expiry(chain: Path) -> float | None:
    """When the first certificate of `chain` ends, in seconds since the epoch; None if it has none."""
    leaf = _first_cert(chain)
    return None if leaf is None else leaf.not_valid_after_utc.timestamp()


def shown_fingerprint(chain: Path) -> str:
    """The fingerprint of the last certificate that is served: our CA's, or what an operator put there."""
    return fingerprint(x509.load_pem_x509_certificates(chain.read_bytes())[-1])


def server_context(chain: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 and newer, without compression or renegotiation.

    After a renewal, call `load_cert_chain(chain, key)` on the same context: connections
    made from then on get the new certificate. Raises ssl.SSLError or OSError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_ciphers(_CIPHERS)
    context.load_cert_chain(chain, key)
    return context
