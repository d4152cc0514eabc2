"""Where the operator of an agent lets outputs go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.inputs.fetch import Surroundings
from common.inputs import HostPattern


@dataclass(frozen=True, slots=True)
class OutputRules:
    """Without arguments: outputs stay in the work directory."""

    roots: Mapping[str, Path] = field(default_factory=dict)
    """Directories that outputs may be written to, by the names that jobs know them by."""
    hosts: tuple[HostPattern, ...] = ()
    """What may be streamed to."""
    allow_private: bool = False
    """Whether those hosts may have addresses that are not public."""
    world: Surroundings = field(default_factory=Surroundings)
    """Names, addresses and connections; tests put others in its place."""
