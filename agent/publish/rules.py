"""Where the operator of an agent lets outputs go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.inputs import HostPattern


@dataclass(frozen=True, slots=True)
class OutputRules:
    """Without arguments: outputs stay in the work directory."""

    roots: Mapping[str, Path] = field(default_factory=dict)
    """Directories that outputs may be written to, by the names that jobs know them by."""
    hosts: tuple[HostPattern, ...] = ()
    """What may be streamed to."""
