"""Requests arrive whole, however they are cut into packets, and broken ones are refused."""

from __future__ import annotations

import os
import socket
import ssl

import pytest
import requests

from tests.serving.conftest import Server, read_all, receive

HEALTHY = b'{"status": "healthy"}'


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_client_that_verifies_nothing_is_served_like_curl_k(server: Server) -> None:
    # verify=False is what `curl -k` does; the guide's commands rely on it.
    answer = requests.get(server.url + "/health", verify=False, timeout=5)
    assert answer.json() == {"status": "healthy"}


def test_the_server_does_not_say_what_it_is_made_of(server: Server) -> None:
    assert server.get("/health").headers["Server"] == "ffmpeg-rtmp"


def test_the_application_knows_that_it_is_reached_by_https(server: Server) -> None:
    assert server.count()["scheme"] == "https"


def test_a_request_may_come_in_small_pieces(server: Server) -> None:
    request = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n1234"
    with server.connect_tls() as client:
        for byte in request:
            client.sendall(bytes([byte]))
        assert receive(client, b"}").startswith(b"HTTP/1.1 200 OK")


def test_two_requests_in_one_packet_get_two_answers(server: Server) -> None:
    with server.connect_tls() as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
        for _ in range(2):
            assert receive(client, HEALTHY).startswith(b"HTTP/1.1 200 OK")


def test_a_large_body_is_received_and_the_connection_kept(server: Server) -> None:
    with server.session() as session:
        ports = set()
        for _ in range(2):
            answer = session.post(server.url + "/echo", data=b"x" * 3_000_000, timeout=10)
            assert answer.json()["length"] == 3_000_000
            ports.add(answer.headers["X-Client-Port"])
        assert len(ports) == 1


def test_a_chunked_body_is_received(server: Server) -> None:
    with server.session() as session:
        pieces = (b"x" * 10_000 for _ in range(20))
        assert session.post(server.url + "/echo", data=pieces, timeout=10).json()["length"] == 200_000


def test_an_expected_100_continue_is_sent(server: Server) -> None:
    with server.connect_tls() as client:
        client.sendall(
            b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        )
        assert client.recv(4096).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(b"1234")
        assert receive(client, b"}").startswith(b"HTTP/1.1 200 OK")


def test_a_large_body_that_nobody_reads_does_not_cost_the_answer(server: Server) -> None:
    with server.session() as session:
        answer = session.post(server.url + "/ignore", data=b"x" * 3_000_000, timeout=10)
        assert answer.json() == {"ignored": True}


def test_a_body_that_ends_early_is_not_taken_for_a_whole_one(server: Server) -> None:
    with server.connect_tls() as client:
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + b"x" * 9)
        # Half-closed below TLS: the server sees the end, and the client can still read.
        with socket.socket(fileno=os.dup(client.fileno())) as below:
            below.shutdown(socket.SHUT_WR)
        assert b"200 OK" not in read_all(client)


def test_a_head_without_end_is_refused_with_a_problem(server: Server) -> None:
    with server.connect_tls() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000)
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 431")
    assert b"application/problem+json" in answer


def test_nonsense_inside_tls_is_refused_with_a_problem(server: Server) -> None:
    with server.connect_tls() as client:
        client.sendall(b"what is this\r\n\r\n")
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer


def test_tls_before_1_2_is_refused(server: Server) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    # Without this, the client's own OpenSSL would not even ask for it.
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with server.connect() as raw, pytest.raises(ssl.SSLError, match=r"(?i)alert protocol version"):
        old.wrap_socket(raw)
