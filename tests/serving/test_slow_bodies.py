"""A body that comes too slowly is not called wrong: the answer says to send it again."""

from __future__ import annotations

import json
import socket
import ssl
import sys
from pathlib import Path

import pytest

from tests import masters
from tests.serving.conftest import read_all

HASTY = """
from master.cli import main
from master.worker import FarmWorker
from master.worker.connection import Patience
FarmWorker.patience = Patience(request=0.5)
main(prog_name='master')
"""


def test_the_answer_is_408_and_too_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masters, "MASTER", [sys.executable, "-c", HASTY])
    master = masters.start_master(tmp_path / "master")
    try:
        context = ssl.create_default_context(cafile=str(master.ca))
        connection = socket.create_connection(("127.0.0.1", master.port), timeout=10)
        with context.wrap_socket(connection, server_hostname="localhost") as client:
            head = b"POST /results HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            client.sendall(head + b"Content-Length: 100000\r\n\r\n{")
            answer = read_all(client)
    finally:
        master.stop()
    assert answer.startswith(b"HTTP/1.1 408 ")
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (problem["type"], problem["status"]) == ("urn:ffrtmp:problem:too_slow", 408)
    assert problem["detail"] == "The request came too slowly; send it again."
