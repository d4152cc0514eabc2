"""What runs in the worker process: the store, the farm, the reaper, the application."""

from __future__ import annotations

import logging
import os
import sqlite3
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from common.clock import Clock, system_clock
from common.locks import hold
from common.logs import complain, tell
from common.problems import Problem
from master import tls
from master.api import dashboard
from master.api.documents import archive_entry, told_of_a_job
from master.api.routes import Routes
from master.app import create_app
from master.auth import Gate, operator_token
from master.certificates import certificates, names_of
from master.collector import settle
from master.config import Config
from master.errors import StartError
from master.files import Shelf
from master.hosts import Hosts
from master.metrics import Measures
from master.reaper import Reaper
from master.renewal import CLOCK_CHECK, Renewal
from master.server import HALT
from master.service import Farm, files, leftovers, tokens, work
from master.service.audit import AuditRetention
from master.service.farm import new_id
from master.service.retention import Retention
from master.service.webhooks import Desk
from master.store.archive import Archive
from master.store.errors import StoreError
from master.store.exclusion import Exclusion
from master.store.interface import Store
from master.store.journal import JournalError, JournalFullError, sync_directory
from master.store.logs import LogStore
from master.store.memory import MemoryStore
from master.store.meter import Meter
from master.store.moving import left
from master.store.restored import restored_marker, rewound
from master.store.settling import Ticket
from master.webhooks import signing
from master.webhooks.dispatch import Dispatcher
from master.webhooks.post import Surroundings

log = logging.getLogger(__name__)

_RETENTION_CHECK = 1.0  # seconds between two looks at whether there is something to archive
_LEFTOVERS_CHECK = 0.5  # seconds between two looks at whether a family left files behind
_ORPHAN_PATIENCE = 2.0  # seconds for the worker of a master that was just killed to notice and end
_OTHERS_PATIENCE = 10.0  # seconds for a database to notice that a master was killed
_LAST_WORDS = 0.5  # seconds that the answers under way get when the disk has failed


def lock_state(state_dir: Path, patience: float) -> int:
    """Take the state directory's lock, so that there is one writer, always; its file descriptor.

    It is taken by the worker process, after the fork: it ends with the process that
    writes. A reload starts the next worker while the last one still drains, so it is waited
    for, up to `patience` seconds. StartError if the directory is in use, or cannot be written.
    """
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return hold(state_dir / "lock", patience)
    except BlockingIOError:
        raise StartError(
            f"the state directory {state_dir} is in use by another master; "
            "stop that one or choose another with --state-dir"
        ) from None
    except OSError as error:
        raise StartError(
            f"cannot write the state directory {state_dir}: {error.strerror}; choose another with --state-dir"
        ) from error


def check(config: Config, clock: Clock = system_clock) -> None:
    """StartError for what can be told before serving: a bad state directory, or a bad --tls-cert."""
    if config.tls_cert is not None:
        certificates(config, clock().wall, Exclusion())
    os.close(lock_state(config.state_dir, _ORPHAN_PATIENCE))


class Runtime:
    """Everything that the worker process has; see `master.server.Runtime`."""

    def __init__(self, config: Config, clock: Clock = system_clock) -> None:
        """Take the lock, load the state, start the reaper. StartError, in one line, if that cannot be."""
        self._config = config
        self._clock = clock
        self._lock = lock_state(config.state_dir, patience=60)
        try:
            measures = Measures()
            meter = Meter(
                measures.lock_wait.observe, measures.lock_hold.observe, measures.journal_sync.observe
            )
            self._store = _store(config, clock, meter)
            self._tell_of_restore()
            chain, key, self.fingerprint = certificates(config, clock().wall, self._store.exclusive)
            self.ssl_context: ssl.SSLContext = tls.server_context(chain, key)
            self._hosts = Hosts(names_of(config, chain))
            with self._store.exclusive("archive"):
                archive = Archive(config.farm_dir / "archive")
            logs, shown = (
                LogStore(config.farm_dir / "logs", coming=self._store.coming),
                tls.shown_fingerprint(chain),
            )
            shelf = Shelf(config.farm_dir / "files", config.files_quota, clock, new_id, self._store)
            self.farm = Farm(config, self._store, logs, archive, shelf, clock, shown, measures)
            self.farm.certificate_expiry = tls.expiry(chain)
            self.farm.begin()
        except (JournalError, JournalFullError, StoreError, OSError, Problem) as error:
            raise StartError(str(error)) from error
        with self._store.exclusive("secrets"):
            secret = operator_token(config.farm_dir)
        gate = Gate(self._store, secret, clock, local_door=config.auth == "auto")
        self.app: Flask = create_app(self.farm, gate, self._hosts)
        dashboard.compile_pages(self.app)
        self._routes = Routes(self.app)
        self._begin_webhooks()
        terms = (1.0, config.lease / 4, config.heartbeat_timeout / 4)
        self._reaper = Reaper([self._reap, self._tidy], min(terms))
        # A thread of its own: it asks for this machine's name, and DNS may take its time.
        self._renewal = Renewal(clock())
        self._renewer = Reaper([self._renew_certificates, self._forget_tokens], CLOCK_CHECK)
        # And this one writes files that may be large.
        self._retention = Retention(self.farm, archive_entry)
        self._audit_retention = AuditRetention(self.farm)
        self._archivist = Reaper([self._retain, self._trim_audit], _RETENTION_CHECK)
        self._files_chore = Reaper([self._let_files_go], files.pause(config.keep_files))
        self._leftovers_chore = Reaper([self._sweep], _LEFTOVERS_CHECK)
        self._looked = clock().mono
        self._reaper.start()
        self._renewer.start()
        self._archivist.start()
        self._files_chore.start()
        self._leftovers_chore.start()
        self._dispatcher.start()
        settle()

    def is_slow(self, environ: dict[str, Any]) -> bool:
        """See `master.api.routes`. A database is waited for in a thread, whatever it is asked."""
        return self._store.shared or self._routes.is_slow(environ)

    def open_ticket(self) -> Ticket | None:
        """See `master.store.settling`."""
        return self._store.open_ticket()

    def on_settled(self, hearer: Callable[[], None]) -> None:
        """Of the store."""
        self._store.on_settled(hearer)

    def begin_shutdown(self) -> None:
        """Answer every parked poll, end every stream, and let nothing run out any more: nobody can be heard
        from now on.
        """
        self._reaper.stop()
        self.farm.waiters.close()
        self.farm.live.close()

    def close(self) -> None:
        """Stop the reaper, sync and close the store, and let the next worker in."""
        self._dispatcher.stop()
        self._book.close()
        self._archivist.stop()
        self._files_chore.stop()
        self._leftovers_chore.stop()
        self.farm.shelf.close()
        self._renewer.stop()
        self._reaper.stop()
        try:
            self._store.close()
        except (JournalError, JournalFullError) as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all
        os.close(self._lock)

    def _begin_webhooks(self) -> None:
        """Nothing is sent yet."""
        try:
            with self._store.exclusive("secrets"):
                key = signing.load_key(self._config.farm_dir)
            self._book = self._store.open_book(self._config.state_dir)
        except (OSError, sqlite3.Error, Problem) as error:
            raise StartError(f"cannot keep webhooks in {self._config.state_dir}: {error}") from error
        world = Surroundings(self._config.allow_private_webhooks, clock=self._clock)
        self._dispatcher = Dispatcher(self.farm, self._book, key, told_of_a_job, world)
        self.app.extensions["webhooks"] = Desk(self.farm, self._book, key, world, self._dispatcher)

    def _tell_of_restore(self) -> None:
        """If this state is a restored copy, let its history say so before anything is added to it."""
        marker = restored_marker(self._config.state_dir)
        if marker is None:
            return
        now = self._clock()
        with self._store.transaction(now) as tx:
            tx.record([rewound(tx.history(), now.wall)])
        log.info("This state was restored from a copy: attempts get numbers that were never given before")
        marker.unlink()
        sync_directory(self._config.state_dir)

    def _reap(self) -> None:
        """Let time pass, but for time in which this process stood still and could not hear anybody."""
        now = self._clock().mono
        looked = self._looked
        if not self._store.shared:
            self._looked = now
        if now - looked > min(self._config.lease, self._config.heartbeat_timeout) / 2:
            log.warning(
                "the master stood still for %.0f s; all nodes and leases get a full term", now - looked
            )
            self._store.liveness.start_anew()
        work.reap(self.farm)
        self._looked = now  # while a shared store cannot be asked, nobody can be heard either

    def _tidy(self) -> None:
        self._store.tidy(self._clock())

    def _forget_tokens(self) -> None:
        tokens.forget_old(self.farm)

    def _retain(self) -> None:
        if self._store.leads("archive"):
            self._retention.step(self._clock())
        else:
            self._retention.leave_to_others()

    def _trim_audit(self) -> None:
        if self._store.leads("audit"):
            self._audit_retention.step(self._clock())

    def _let_files_go(self) -> None:
        if self._store.leads("files"):
            files.let_go(self.farm, self._clock())

    def _sweep(self) -> None:
        if self._store.leads("files"):
            leftovers.sweep(self.farm)
        else:
            leftovers.leave_to_others(self.farm)

    def _renew_certificates(self) -> None:
        """Our own certificates are renewed in place; connections that are open keep theirs."""
        now = self._clock()
        if not self._renewal.due(now):
            return
        try:
            chain, key, _ = certificates(self._config, now.wall, self._store.exclusive)
        except StartError as error:
            log.error("The certificate is not renewed: %s", error)  # noqa: TRY400 - the sentence says it all
        else:
            self.ssl_context.load_cert_chain(chain, key)
            self.farm.certificate_expiry = tls.expiry(chain)
            self._hosts.learn(names_of(self._config, chain))


def _store(config: Config, clock: Clock, meter: Meter) -> Store:
    """What --store names; StartError if what it needs is not installed."""
    if config.store is None:
        if (refusal := left.refusal(config.state_dir)) is not None:
            raise StartError(refusal)
        return MemoryStore(config.state_dir / "journal", clock(), on_failure=_die, meter=meter)
    try:
        from master.store.postgres.store import PostgresStore  # few masters need it, or have what it needs
    except ImportError as error:
        raise StartError(
            f"--store needs {error.name}, which is not installed: pip install 'ffmpeg-rtmp[postgresql]'"
        ) from error
    store = PostgresStore(config.store, meter=meter, patience=_OTHERS_PATIENCE)
    try:
        store.agree(config.shared_dir)
    except BaseException:
        store.close()
        raise
    return store


def start(config: Config) -> Runtime:
    """Start everything in this process, and say so."""
    runtime = Runtime(config)
    announce(config)
    if config.shared_dir is not None:
        log.info("One of the masters that share %s", config.shared_dir)
    if runtime.fingerprint is not None:
        log.info("CA fingerprint: %s", runtime.fingerprint)
    return runtime


def announce(config: Config) -> None:
    """The guide's lines."""
    lines = (
        f"Master node listening on :{config.port}",
        "API endpoints:",
        "  POST   /nodes/register",
        "  GET    /nodes",
        "  POST   /nodes/{id}/heartbeat",
        "  POST   /jobs",
        "  GET    /jobs",
        "  GET    /jobs/next?node_id=<id>",
        "  POST   /results",
        "  GET    /health",
    )
    for line in lines:
        tell(line)


def _die(reason: str) -> None:
    """The disk failed for good: end the whole master, after the 503s that are under way."""
    complain("master", f"{reason}; nothing more is acknowledged, and the master ends")
    threading.Timer(_LAST_WORDS, os._exit, (HALT,)).start()
