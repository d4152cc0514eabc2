"""The client's side of TLS: reading a master's chain, pinning its CA, trusting only that.

A master's CA is private and issues for that master only, so its key is a stronger
identity than any host name: a pin made at first use does not look at names, and
keeps working through NAT, aliases and a changed address.
"""

from __future__ import annotations

import hashlib
import os
import selectors
import socket
import ssl
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from requests.adapters import HTTPAdapter

from common.ip import is_address

CA_ORGANIZATION = "ffmpeg-rtmp master"
"""Subject O of every CA that a master made: only such a CA may be pinned without names."""

_NOT_FROM_THIS_CA = frozenset({2, 7, 18, 19, 20, 21, 24, 26, 30, 90, 91, 93})
"""OpenSSL's verify codes (x509_vfy.h) for a chain that does not lead to the trusted CA."""
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME = frozenset({62, 64})


class TrustError(Exception):
    """The peer cannot be trusted as it is; the message says what to do."""


class CertificateRefusedError(requests.exceptions.SSLError):
    """A TLS failure on a connection that trusts one CA file only; `explain` renders it."""

    def __init__(self, cause: requests.exceptions.SSLError, peer: str, adapter: PinnedAdapter) -> None:
        super().__init__(*cause.args, request=cause.request, response=cause.response)
        self.peer = peer
        self.ca_file = adapter.ca_file
        self.named = adapter.check_hostname


@dataclass(frozen=True, slots=True)
class Pin:
    """A master's CA, as kept by this client."""

    ca_file: Path
    fingerprint: str
    """See `fingerprint`."""
    first_use: bool
    """Whether it was fetched just now, and nobody has vouched for it."""


def fingerprint(cert: x509.Certificate) -> str:
    """`sha256:` and the hex SHA-256 of the SubjectPublicKeyInfo (RFC 7469, section 2.4).

    It names the key, so it outlives every renewal of the certificate.
    """
    spki = cert.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "sha256:" + hashlib.sha256(spki).hexdigest()


def fetch_chain(host: str, port: int, timeout: float) -> list[x509.Certificate]:
    """The certificates that the server sends, leaf first, verified by nobody.

    `timeout` is in seconds, over everything. Raises OSError when there is no connection
    in that time, TrustError when what answers does not speak TLS 1.2 or newer.
    """
    deadline = time.monotonic() + timeout
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    # Verifying comes after: this is how the CA is fetched that verifies all the rest.
    context.set_verify(SSL.VERIFY_NONE)
    with socket.create_connection((host, port), timeout) as raw:
        connection = SSL.Connection(context, raw)
        if not is_address(host):
            connection.set_tlsext_host_name(host.encode("idna"))
        connection.set_connect_state()
        _handshake(connection, raw, deadline, f"{host}:{port}")
        chain = connection.get_peer_cert_chain(as_cryptography=True) or []
    return list(chain)


def _handshake(connection: SSL.Connection, raw: socket.socket, deadline: float, peer: str) -> None:
    while True:
        try:
            connection.do_handshake()
        except (SSL.WantReadError, SSL.WantWriteError) as want:
            wanted = selectors.EVENT_WRITE if isinstance(want, SSL.WantWriteError) else selectors.EVENT_READ
            left = deadline - time.monotonic()
            if left <= 0 or not _ready(raw, wanted, left):
                raise TimeoutError(f"{peer} did not finish the TLS handshake in time") from want
        except SSL.Error as error:
            raise TrustError(
                f"{peer} does not answer with TLS; is it an ffmpeg-rtmp master, and is the port right?"
            ) from error
        else:
            return


def _ready(raw: socket.socket, wanted: int, timeout: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(raw, wanted)
        return bool(selector.select(timeout))


def ca_of(chain: list[x509.Certificate]) -> x509.Certificate:
    """The CA at the chain's end, when it can be pinned; else TrustError saying why.

    Every certificate must be signed by the next one and the last by itself. The last
    must be a master's own CA or the only certificate: any other CA issues for strangers
    too, and one pinned without host names would let each of them pose as the master.
    """
    if not chain:
        raise TrustError("the server showed no certificate; name its CA with --ca-cert FILE")
    last = chain[-1]
    for cert, issuer in zip(chain, [*chain[1:], last], strict=True):
        if not _issued(cert, issuer):
            raise TrustError(
                "the server does not send the CA that signed its certificate; name it with --ca-cert FILE"
            )
    organization = last.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    if len(chain) > 1 and CA_ORGANIZATION not in [str(o.value) for o in organization]:
        raise TrustError(
            f"the server's CA ({last.subject.rfc4514_string()}) was not made by an ffmpeg-rtmp master "
            "and may issue for others too; name it with --ca-cert FILE, so that host names are checked"
        )
    return last


def _issued(cert: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        cert.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def pin(host: str, port: int, file: Path, timeout: float = 10.0, expected: str | None = None) -> Pin:
    """The kept pin if `file` exists; else the server's CA, which is kept.

    `expected` is the fingerprint that the CA must have, as a token says; without it the CA is trusted
    at first use. `timeout` is in seconds. Raises TrustError when the file is damaged or cannot be
    written, or the server's chain cannot be pinned or is not the expected, and OSError when
    there is no connection.
    """
    try:
        kept = file.read_bytes()
    except FileNotFoundError:
        ca = ca_of(fetch_chain(host, port, timeout))
        if expected not in (None, fingerprint(ca)):
            raise _other_master(f"{host}:{port} has the CA {fingerprint(ca)}", expected) from None
        try:
            write_private(file, ca.public_bytes(Encoding.PEM))
        except OSError as error:
            raise TrustError(f"cannot keep the master's CA in {file}: {error.strerror}") from error
        return Pin(file, fingerprint(ca), first_use=expected is None)
    try:
        ca = x509.load_pem_x509_certificate(kept)
    except ValueError as error:
        raise TrustError(
            f"{file} should hold the master's CA, and is damaged; delete it to trust the master anew"
        ) from error
    if expected not in (None, fingerprint(ca)):
        raise _other_master(f"the CA pinned in {file} is {fingerprint(ca)}", expected)
    return Pin(file, fingerprint(ca), first_use=False)


def expect(host: str, port: int, ca_file: Path, expected: str, timeout: float = 10.0) -> None:
    """TrustError unless the CA that was named, or the chain that the server sends, has the fingerprint.

    To be called beside verifying with `ca_file`: the chain itself is believed by nobody here. `timeout`
    is in seconds; OSError if there is no connection.
    """
    try:
        named = x509.load_pem_x509_certificates(ca_file.read_bytes())
    except (OSError, ValueError):
        named = []  # `client_context` says what is wrong with it
    if expected in map(fingerprint, named):
        return
    chain = fetch_chain(host, port, timeout)
    if chain and expected not in map(fingerprint, chain):
        raise _other_master(f"{host}:{port} has the CA {fingerprint(chain[-1])}", expected)


def _other_master(found: str, expected: str | None) -> TrustError:
    return TrustError(
        f"the token is of another master: it was made by one with the CA {expected}, and {found}. Nothing "
        "was sent. Check the master's address, or make a token on that master: ffrtmp tokens create"
    )


def write_private(file: Path, data: bytes) -> None:
    """Replace `file` as a whole, mode 0600, made durable before it takes the name.

    Missing directories are made with mode 0700. Raises OSError.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class PinnedAdapter(HTTPAdapter):
    """Carries https requests to servers whose chain ends in the CA of one file, and no other.

    `check_hostname` is off for a pin made at first use (the CA is the identity) and on
    for a CA that the operator named. Whatever `verify`, the session or the environment
    say is not listened to. Raises TrustError when the file holds no certificate.
    """

    def __init__(self, ca_file: Path, check_hostname: bool) -> None:
        self.ca_file = ca_file
        self.check_hostname = check_hostname
        self._tls: dict[str, Any] = {"ssl_context": client_context(ca_file, check_hostname)}
        if not check_hostname:
            # urllib3 compares names by itself as well, unless it is told False.
            self._tls["assert_hostname"] = False
        super().__init__(pool_maxsize=64)  # an agent's threads: one for each slot, and a few

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        """Every connection uses the one context."""
        super().init_poolmanager(connections, maxsize, block, **self._tls, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Through a proxy too, only this CA is trusted."""
        return super().proxy_manager_for(proxy, **self._tls, **kwargs)

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,  # noqa: ARG002 - urllib3 would add its bundle, or verify nothing
        cert: Any = None,
    ) -> tuple[Any, Any]:
        """The pool for the request's host, whatever `verify` says: the context decides."""
        host, _ = super().build_connection_pool_key_attributes(request, True, cert)
        return host, {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing to add: the context has it all (see above)."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """As HTTPAdapter; a TLS failure is raised as CertificateRefusedError."""
        try:
            return super().send(request, *args, **kwargs)
        except requests.exceptions.SSLError as error:
            peer = requests.compat.urlsplit(str(request.url)).netloc.rpartition("@")[2]
            raise CertificateRefusedError(error, peer, self) from error


def client_context(ca_file: Path, check_hostname: bool) -> ssl.SSLContext:
    """TLS 1.2 or newer, trusting `ca_file` only; TrustError if that holds no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = check_hostname
    # A pinned self-signed server certificate is its own anchor, without being a CA.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cafile=ca_file)
    except FileNotFoundError as error:
        raise TrustError(f"the CA file {ca_file} does not exist") from error
    except ssl.SSLError as error:
        raise TrustError(f"{ca_file} holds no certificate in PEM form; is it the master's ca.pem?") from error
    except OSError as error:
        raise TrustError(f"the CA file {ca_file} cannot be read: {error.strerror}") from error
    return context


def explain(error: BaseException) -> str:
    """One sentence for a failed request: what is wrong with the certificate, what to do.

    Errors that are not about certificates are returned in their own words.
    """
    refused = next((e for e in causes(error) if isinstance(e, CertificateRefusedError)), None)
    verdict = next((e for e in causes(error) if isinstance(e, ssl.SSLCertVerificationError)), None)
    peer = refused.peer if refused else "the server"
    if verdict is None:
        if refused:
            return f"{peer} does not answer with TLS as it should; is it an ffmpeg-rtmp master?"
        return str(error) or type(error).__name__
    code = verdict.verify_code
    if code in _NOT_FROM_THIS_CA:
        return _other_ca(peer, refused)
    if code in _OTHER_NAME:
        return (
            f"the certificate of {peer} does not carry that name; "
            "reach the master by a name or address that is in its certificate"
        )
    if code == _EXPIRED:
        return (
            f"the certificate of {peer} has expired; check both clocks, then restart the master to renew it"
        )
    if code == _NOT_YET_VALID:
        return f"the certificate of {peer} is not valid yet; check the clocks of both machines"
    return f"the certificate of {peer} is not acceptable: {verdict.verify_message}"


def _other_ca(peer: str, refused: CertificateRefusedError | None) -> str:
    if refused is None:
        return f"the certificate of {peer} is signed by an unknown CA; name its CA with --ca-cert FILE"
    if refused.named:
        return f"the CA in {refused.ca_file} did not sign the certificate of {peer}; give --ca-cert its CA"
    return (
        f"the certificate of {peer} is not signed by the CA pinned in {refused.ca_file}; if the master was "
        f"set up anew, delete {refused.ca_file} and start again, otherwise somebody else is answering"
    )


def causes(error: BaseException) -> list[BaseException]:
    """The error and all that led to it: causes, contexts, and what urllib3 and requests wrap."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one in found:
            continue
        found.append(one)
        wrapped = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting += [each for each in wrapped if isinstance(each, BaseException)]
    return found
