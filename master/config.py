"""The master's settings, frozen at start; flags and environment fill them in `cli`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. Durations are seconds."""

    state_dir: Path
    store: str | None = None
    """The database that keeps the records (`postgresql://`); None: the state directory does."""
    shared_dir: Path | None = None
    """What the masters of one database share; None: there is one master."""
    host: str = "0.0.0.0"  # noqa: S104 - a farm's master serves other machines; the owner fixed this default
    port: int = 8080
    tls_cert: Path | None = None
    """The operator's own certificate chain; None: one of our own making."""
    tls_key: Path | None = None
    server_names: tuple[str, ...] = ()
    """Further DNS names and addresses that it goes by."""
    auth: str = "auto"
    """`auto`: local callers of the master's own user are operators. `required`: nobody is."""
    lease: float = 90.0
    """How long a claim holds without being heard of."""
    heartbeat_timeout: float = 90.0
    """Silence after which a node is offline: three heartbeats of 30 s."""
    max_attempts: int = 3
    """Attempts that a job gets before it fails."""
    retention: float = 30 * 86400.0
    """How long a finished job stays in memory; then it moves to the archive."""
    audit_retention: float = 365 * 86400.0
    """How long the audit tells who did what."""
    files_quota: int | None = None
    """Bytes that the file store may hold; None: half of the state directory's disk."""
    keep_files: float = 7 * 86400.0
    """How long a stored file stays after it was used last, or the last job that refers to it is gone."""
    threads: int = 32
    """Requests that take long, and are served at once: files, reports, long lists."""
    max_parked_polls: int = 15_000
    """Long-polls that may wait at once: agents. None needs a thread, each some 20 KiB of memory."""
    max_connections_per_address: int = 0
    """Open connections that one address other than loopback may have; 0: any number."""
    max_streams: int = 1000
    """Streams of events and logs that may be open at once."""
    allow_private_webhooks: bool = False
    """Whether webhooks may be sent to addresses that are not public, and there without TLS."""
    log_level: str = "info"
    log_format: str = "people"
    """`people`, or `json`: an object on each line (`common.logs`)."""
    quarantine_after: int = 3
    """Agents that a job may lose, and different jobs in a row that may fail on a node, before it is set
    aside; 0: any number."""
    credential_ttl: float = 90 * 86400.0
    """How long a node's credential is valid; its agent replaces it when a third of that is left."""
    retry_backoff: float = 5.0
    """Delay before the second attempt; doubles with each, up to five minutes."""

    submit_rate: float = 100.0
    """Jobs a second that one submitter may queue in the long run; 0: any number."""
    max_pending_jobs: int = 1_000_000
    """Jobs that may wait at once: they are held in memory."""

    @property
    def farm_dir(self) -> Path:
        """Where that lies which is the farm's, whichever of its masters looks."""
        return self.state_dir if self.shared_dir is None else self.shared_dir
