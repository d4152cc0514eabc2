"""An agent told `http://` speaks TLS all the same: not one plaintext byte leaves it."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.masters import Client, Master, wait_until
from tests.system.farm import Farm, node

TLS_HANDSHAKE = 0x16
"""RFC 8446, section 5.1: the type of a TLS record that opens a connection."""


class Wiretap:
    """A TCP port that leads to a master, and notes how each connection begins."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.first_bytes: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # A shutdown wakes the thread in accept; a close alone would leave it there.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        master = socket.create_connection(("127.0.0.1", self._target))
        other = {caller: master, master: caller}
        heard = False
        with caller, master, selectors.DefaultSelector() as selector, suppress(OSError):
            for end in other:
                selector.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    end = next(each for each in other if each is key.fileobj)
                    data = end.recv(65536)
                    if not data:
                        return
                    if end is caller and not heard:
                        heard = True
                        self.first_bytes.append(data[:16])
                    other[end].sendall(data)


@pytest.fixture
def wiretap(quiet_master: Master) -> Iterator[Wiretap]:
    wiretap = Wiretap(quiet_master.port)
    yield wiretap
    wiretap.close()


def test_http_is_rewritten_before_the_first_byte(farm: Farm, wiretap: Wiretap, quiet: Client) -> None:
    agent = farm.agent(f"http://localhost:{wiretap.port}", "--heartbeat-interval=200ms")
    said = agent.says("Registered with")
    assert f"https://localhost:{wiretap.port}" in said
    assert node(quiet, agent.node_id)["status"] == "available"
    # The look at the CA, and at least one connection each for polls and heartbeats.
    wait_until(lambda: len(wiretap.first_bytes) >= 3, "the agent has connected three times")
    assert {first[0] for first in wiretap.first_bytes} == {TLS_HANDSHAKE}
