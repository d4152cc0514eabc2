"""Serves an application by our worker class or by gunicorn's: `python -m bench.server KIND NAME PORT STATE`.

KIND is `ours`; `gthread`, as gunicorn comes; `pinned`, the same on one core; or `cached`, the same with one
TLS context for all connections. NAME is that of an application in bench/apps.py, or `master`: the whole
master, whose state is in STATE.
"""

from __future__ import annotations

import argparse
import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from bench import apps
from master import tls
from master.config import Config
from master.runtime import Runtime
from master.server import bind, serve

KINDS = ("ours", "gthread", "pinned", "cached")
THREADS = 8
"""Of the threaded worker."""
BACKLOG = 2048


class Small:
    """What runs in our worker: one small application; `master.server.Runtime`."""

    def __init__(self, app: Any, context: ssl.SSLContext) -> None:
        self.app = app
        self.ssl_context = context

    def is_slow(self, _environ: Any) -> bool:
        """No request is."""
        return False

    def open_ticket(self) -> None:
        """Nothing waits for a disk."""

    def on_settled(self, _hearer: Callable[[], None], _loop: object) -> None:
        """Nothing is ever to be settled."""

    def begin_shutdown(self) -> None:
        """Nothing is parked."""

    def close(self) -> None:
        """Nothing is open."""


class Stock(BaseApplication):  # type: ignore[misc]  # gunicorn publishes no types
    """gunicorn with its threaded worker, and settings that a user would choose."""

    def __init__(self, port: int, made: tls.Certificates, load: Callable[[], Any], *, cached: bool) -> None:
        self._settings = {
            "bind": f"127.0.0.1:{port}", "worker_class": "gthread", "threads": THREADS, "workers": 1,
            "keepalive": 75, "worker_connections": 4096, "backlog": BACKLOG, "certfile": str(made.chain),
            "keyfile": str(made.key), "loglevel": "error", "control_socket_disable": True,
        }  # fmt: skip
        if cached:
            context = tls.server_context(made.chain, made.key)
            self._settings["ssl_context"] = lambda _config, _default: context
        self._load = load
        super().__init__(prog="bench")

    def load_config(self) -> None:
        """Nothing from files or the environment."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """In the worker process."""
        return self._load()


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("application", choices=("bare", "flask", "master"))
    parser.add_argument("port", type=int)
    parser.add_argument("state", type=Path)
    asked = parser.parse_args()
    # As bench.servers.a_master starts one.
    config = Config(
        state_dir=asked.state,
        host="127.0.0.1",
        port=asked.port,
        lease=3600,
        heartbeat_timeout=3600,
        submit_rate=0,
    )
    made = tls.ensure_certificates(asked.state, tls.local_names(), datetime.now(UTC))
    if asked.application == "master":

        def load() -> Any:
            return Runtime(config).app
    else:

        def load() -> Any:
            return getattr(apps, asked.application)

    if asked.kind == "ours":
        serve(config, bind(config), lambda _: Small(load(), tls.server_context(made.chain, made.key)))
        return
    if asked.kind == "pinned":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    Stock(asked.port, made, load, cached=asked.kind == "cached").run()


if __name__ == "__main__":
    main()
