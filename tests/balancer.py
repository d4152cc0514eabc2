"""A balancer of connections: each goes on to the next of several servers that takes it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress

_PIECE = 65536


class Balancer:
    """Listens on a port of its own until it is closed. `ports`, which may change: of the servers."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = list(ports)
        self._turn = 0
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"https://localhost:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End all that passes through it."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            _end(each)

    def _accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = self._connected()
        if server is None:
            client.close()
            return
        self._open |= {client, server}
        back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
        back.start()
        _pass_on(client, server)
        back.join()
        self._open -= {client, server}
        client.close()
        server.close()

    def _connected(self) -> socket.socket | None:
        for _ in range(len(self.ports)):
            self._turn += 1
            with suppress(OSError):
                return socket.create_connection(("127.0.0.1", self.ports[self._turn % len(self.ports)]), 5)
        return None


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Until one of them ends; then both do."""
    with suppress(OSError):
        source.settimeout(None)
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    _end(source)
    _end(target)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
