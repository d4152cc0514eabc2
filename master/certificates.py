"""What a master serves with: its own certificate by the farm's CA, or the operator's; and its names."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from common.problems import Problem
from master import tls
from master.config import Config
from master.errors import StartError
from master.files.store import Exclusive


def certificates(config: Config, now: datetime, exclusive: Exclusive) -> tuple[Path, Path, str | None]:
    """Chain, key, and our CA's fingerprint (None for the operator's own); StartError if they are no good.

    Ours are made, or renewed, as need be; the CA, which may be several masters', by one at a time.
    """
    if config.tls_cert is not None and config.tls_key is not None:
        try:
            tls.check_pair(config.tls_cert, config.tls_key, now)
        except ValueError as error:
            raise StartError(str(error)) from error
        return config.tls_cert, config.tls_key, None
    try:
        ca_dir = None if config.shared_dir is None else config.shared_dir / "ca"
        with exclusive("ca"):
            made = tls.ensure_certificates(
                config.state_dir, tls.local_names(config.server_names), now, ca_dir
            )
    except (OSError, ValueError, Problem) as error:
        raise StartError(f"cannot make a certificate in {config.state_dir}: {error}") from error
    return made.chain, made.key, made.fingerprint


def names_of(config: Config, chain: Path) -> set[str]:
    """The names that the master goes by: those in its certificate, and those that it was given."""
    return tls.dns_names(chain) | set(config.server_names)
