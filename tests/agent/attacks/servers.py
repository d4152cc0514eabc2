"""A server on loopback that answers as it is told, with or without TLS."""

from __future__ import annotations

import datetime
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Answer = Callable[[str], Iterator[bytes]]
"""The bytes to send for a path, piece by piece."""


_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)


@dataclass
class Server:
    """Where it listens, and what was asked for."""

    port: int
    asked: list[str] = field(default_factory=list)
    """The requests, as they came."""


@contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Answers each connection once; a client that goes away ends its answer."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener.getsockname()[1])

        def serve(plain: socket.socket) -> None:
            with plain, suppress(OSError):
                plain.settimeout(20)
                connection = plain if context is None else context.wrap_socket(plain, server_side=True)
                with connection:
                    request = b""
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(65_536) or b"\r\n\r\n"
                    # Unread, it would make the answer be lost when the connection is closed.
                    announced = _LENGTH.search(request)
                    end = request.index(b"\r\n\r\n") + 4 + (int(announced[1]) if announced else 0)
                    while len(request) < end and (more := connection.recv(65_536)):
                        request += more
                    server.asked.append(request.decode("latin-1"))
                    for piece in answer(request.split(b" ")[1].decode("latin-1")):
                        connection.sendall(piece)
                        if ended.is_set():
                            return

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def whole(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Answer:
    """An answer in one piece; `length`: what its header says, if that is not the truth."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return lambda _path: iter(["\r\n".join([*lines, "", ""]).encode("latin-1") + body])


def redirect(location: str) -> Answer:
    """Sends everybody elsewhere."""
    return whole(b"", f"Location: {location}", status="302 Found")


def endless(_path: str) -> Iterator[bytes]:
    """A body that never ends."""
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    while True:
        yield bytes(65_536)


def dripping(_path: str) -> Iterator[bytes]:
    """A byte at a time, often enough that no read times out."""
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    while True:
        time.sleep(0.02)  # the attack itself
        yield b"a"


def dripping_headers(_path: str) -> Iterator[bytes]:
    """A header that never ends, a byte at a time."""
    yield b"HTTP/1.1 200 OK\r\nX: "
    while True:
        time.sleep(0.02)  # the attack itself
        yield b"a"


def certificate(directory: Path, names: Sequence[str]) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of its own for `names`, and the file to trust it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names
    ]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = directory / "server.pem", directory / "server.key"
    certificate_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return context, certificate_file
