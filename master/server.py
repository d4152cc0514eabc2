"""gunicorn, run in this process with settings from `Config` and nowhere else.

One process listens and watches (gunicorn's arbiter); one worker process at a time
serves. What the worker needs is started in the worker, after the fork.
"""

from __future__ import annotations

import errno
import logging
import os
import resource
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import gunicorn.config
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from common.logs import complain
from master.config import Config
from master.errors import StartError
from master.worker import FarmWorker
from master.worker.call import Ticket
from master.worker.loop import Loop
from master.worker.stages import Patience

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HALT = 3
"""The exit status with which a worker ends the whole master: gunicorn's WORKER_BOOT_ERROR.

A worker that cannot start uses it, and one whose journal can no longer be trusted.
"""
BACKLOG = 2048
GRACEFUL_TIMEOUT = 25
"""Seconds that running requests get to end after SIGTERM or a reload."""
HANGING = 120
"""Seconds without a sign of life after which a worker is replaced."""
MAX_CONNECTIONS = 16384
NOT_SENT = 128 * 1024
"""Bytes that the kernel buffers of an answer beyond what is on its way, so that slow readers cannot fill
its memory. Accepted sockets inherit it from the listener."""
_SPARE_FILES = 256
"""File descriptors for everything but client connections."""


class Runtime(Protocol):
    """What runs inside the worker process."""

    @property
    def app(self) -> WSGIApplication:
        """The application."""

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """The one context of all connections; it may be re-loaded in place."""

    def is_slow(self, environ: dict[str, Any]) -> bool:
        """Whether to answer this request takes long, or has to wait for something: then a thread does it.

        What is found out about it may be noted in `environ`.
        """

    def open_ticket(self) -> Ticket | None:
        """From now on, in this context, nothing waits for the disk: the answer does, until it is settled.

        None: nothing ever does.
        """

    def on_settled(self, hearer: Callable[[], None], loop: Loop) -> None:
        """Call `hearer` in the worker's loop whenever tickets may be settled."""

    def begin_shutdown(self) -> None:
        """Make every parked long-poll return at once. Must not wait."""

    def close(self) -> None:
        """Stop the threads and close the files; the process ends after it."""


def bind(config: Config) -> socket.socket:
    """A listening socket; StartError, in one sentence, if there cannot be one."""
    try:
        found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise StartError(f"{config.host!r} is no address of this machine; choose another --host") from error
    # A name may have both kinds of address; agents and curl are told to use IPv4 in the guide.
    family, kind, protocol, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # `::` means every address, the IPv4 ones too, whatever the system's default.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOT_SENT)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(_why_not(error, config)) from error
    return listener


def _why_not(error: OSError, config: Config) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {config.port} is in use by another program; stop it or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {config.port} may only be used by root; choose one above 1023 with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{config.host!r} is no address of this machine; choose another --host"
    return f"cannot listen on {config.host} port {config.port}: {error.strerror}"


def serve(config: Config, listener: socket.socket, start: Callable[[Config], Runtime]) -> int:
    """Serve on `listener` (which is used up) until told to stop; the exit status.

    `start` is called in the worker process. If it raises StartError, its message is
    printed as one line and the master ends with status 1; so it does, without a line,
    when a worker exits with status `HALT`.
    """
    arbiter_pid = os.getpid()
    application = FarmApplication(config, listener.detach(), _file_limit(), start)
    status: Any = 1
    try:
        FarmArbiter(application).run()
    except SystemExit as ending:
        status = ending.code
    if os.getpid() != arbiter_pid:
        # A worker process: it has closed what it had. A thread still stuck in a request
        # must not keep the process, nor may the caller's code run twice.
        _leave(status)
    return 0 if status in (None, 0) else 1


def _leave(status: Any) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    logging.shutdown()
    os._exit((status or 0) & 0xFF if isinstance(status, int) or status is None else 1)


def _file_limit() -> int:
    """Raise the limit on open files as far as is allowed; what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _SPARE_FILES
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


class FarmApplication(BaseApplication):  # type: ignore[misc]  # gunicorn publishes no types
    """The settings, and the runtime once the worker has started it."""

    def __init__(self, config: Config, fd: int, files: int, start: Callable[[Config], Runtime]) -> None:
        self.runtime: Runtime | None = None
        self._config = config
        self._fd = fd
        self._connections = max(config.threads + 1, min(MAX_CONNECTIONS, files - _SPARE_FILES))
        self._start = start
        super().__init__(prog="master")

    @property
    def max_per_address(self) -> int:
        """Connections that one address may have; 0: any number."""
        return self._config.max_connections_per_address

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """The runtime's."""
        if self.runtime is None:
            raise RuntimeError("connections are served only after the start")
        return self.runtime.ssl_context

    def begin_shutdown(self) -> None:
        """Release the parked polls; a mistake in it must not keep the worker from ending."""
        try:
            if self.runtime is not None:
                self.runtime.begin_shutdown()
        except Exception:
            logging.getLogger(__name__).exception("begin_shutdown failed")

    def load_default_config(self) -> None:
        """gunicorn's defaults, of a server that speaks TLS by its own means."""
        self.cfg = _TlsConfig(self.usage, prog=self.prog)

    def load_config(self) -> None:
        """Every setting comes from here: no file, no argument, no environment."""

        def worker_exit(_arbiter: Any, _worker: Any) -> None:
            if self.runtime is not None:
                self.runtime.close()

        settings: dict[str, Any] = {
            "bind": f"fd://{self._fd}",
            "backlog": BACKLOG,
            "workers": 1,
            "worker_class": FarmWorker,
            "threads": self._config.threads,
            "worker_connections": self._connections,
            "keepalive": int(Patience().keep_alive),
            "timeout": HANGING,
            "graceful_timeout": GRACEFUL_TIMEOUT,
            "limit_request_line": 8190,
            "preload_app": False,
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": None,
            "loglevel": self._config.log_level,
            "logger_class": FarmLogger,
            "proc_name": "ffmpeg-master",
            # Nobody in front of the master may change what a request seems to be.
            "forwarded_allow_ips": "",
            "proxy_allow_ips": "",
            "worker_exit": worker_exit,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """In the worker process: start what it serves."""
        try:
            self.runtime = self._start(self._config)
        except StartError as error:
            complain("master", str(error))
            sys.exit(HALT)
        return self.runtime.app


class _TlsConfig(gunicorn.config.Config):  # type: ignore[misc]  # gunicorn publishes no types
    @property
    def is_ssl(self) -> bool:
        """gunicorn looks for certificate files of its own; here the worker does TLS."""
        return True


class FarmArbiter(Arbiter):  # type: ignore[misc]  # gunicorn publishes no types
    """Watches over exactly one worker: two would be two writers of one state."""

    def handle_ttin(self) -> None:
        """Ignored: there is one worker."""

    def handle_ttou(self) -> None:
        """Ignored: there is one worker."""

    def handle_usr2(self) -> None:
        """Ignored: a second arbiter would start a second worker."""


class FarmLogger(Logger):  # type: ignore[misc]  # gunicorn publishes no types
    """gunicorn's messages through the master's own logging, its small talk at debug."""

    def __init__(self, cfg: Any) -> None:
        self._halting = False
        super().__init__(cfg)

    def setup(self, cfg: Any) -> None:
        """No handlers of gunicorn's: the root logger's are used."""
        super().setup(cfg)
        self.error_log.propagate = True

    def info(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Starting, stopping, signals: only for whoever looks for it."""
        self.debug(msg, *args, **kwargs)

    def error(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Errors, but not the three that follow a worker which has said why it halts."""
        if msg.startswith("Worker (pid:%s) exited") and args[1:] == (HALT,):
            self._halting = True
        (self.debug if self._halting else super().error)(msg, *args, **kwargs)
