"""An estimate where nothing counts: the operator's power model of the node. Pure.

P = idle + per_core x busy cores, with busy cores = cpu_seconds / wall_seconds of the encode: the
usual linear model of a server's power over its load. It knows the processor only.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_TERM = re.compile(r"(idle|per_core)=(\d{1,5}(?:\.\d{1,6})?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class PowerModel:
    """Watts, as the operator has measured or read them."""

    idle: float
    """Of the machine when it does nothing."""
    per_core: float
    """More for each core that is busy."""

    def idle_joules(self, wall_seconds: float) -> float:
        """What the machine would have used in that time without the encode."""
        return self.idle * wall_seconds

    def joules(self, cpu_seconds: float, wall_seconds: float) -> float:
        """What it is taken to have used: (idle + per_core x busy cores) x wall_seconds."""
        return self.idle_joules(wall_seconds) + self.per_core * cpu_seconds

    def formula(self, cpu_seconds: float, wall_seconds: float) -> str:
        """For the result's note."""
        cores = cpu_seconds / wall_seconds if wall_seconds else math.nan
        return (
            f"estimate, not measured: ({self.idle:g} W + {self.per_core:g} W x {cores:.3f} busy cores) "
            f"x {wall_seconds:.3f} s, by the power model of this node"
        )


def parse_model(text: str) -> PowerModel:
    """The model of `idle=8,per_core=6.5` (watts); ValueError if it is none."""
    terms = [_TERM.fullmatch(term.strip()) for term in text.split(",")]
    values = {match[1]: float(match[2]) for match in terms if match}
    if len(values) != 2 or len(terms) != 2:
        raise ValueError(
            f"{text!r} is no power model; write idle=WATTS,per_core=WATTS, as idle=8,per_core=6.5"
        )
    return PowerModel(values["idle"], values["per_core"])
