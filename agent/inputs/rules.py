"""What the operator of an agent lets jobs read, and how an input is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.inputs import HostPattern, Origin

MAX_INPUT_SIZE = 50 * 1024**3
"""Bytes that are fetched at most, if nothing else is said."""


class InputFailedError(Exception):
    """The input cannot be had: a code of `common.failures`, and a sentence for whoever submitted the job."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class InputRules:
    """Without arguments: no job may read anything."""

    media_roots: Mapping[str, Path] = field(default_factory=dict)
    """Directories by the names that jobs know them by."""
    hosts: tuple[HostPattern, ...] = ()
    """What may be fetched from."""
    allow_private: bool = False
    """Whether those hosts may have addresses that are not public."""
    max_size: int = MAX_INPUT_SIZE
    """Bytes of a file that is fetched."""

    def check(self, origin: Origin) -> None:
        """`input_refused` if nothing may be fetched from `origin`."""
        if not any(pattern.allows(origin) for pattern in self.hosts):
            raise InputFailedError(
                "input_refused",
                f"this node may not fetch from {origin}; its operator can allow it with --input-host",
            )

    def describe(self) -> str:
        """One sentence for the agent's log at start."""
        roots = ", ".join(f"{name} ({path})" for name, path in sorted(self.media_roots.items()))
        hosts = ", ".join(sorted(map(str, self.hosts)))
        private = ", also at private addresses" if hosts and self.allow_private else ""
        return f"Inputs: files below {roots or 'no media root'}; fetched from {hosts or 'no host'}{private}"
