"""The agent's settings, frozen at start; flags and environment fill them in `cli`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.energy.cost import Prices
from agent.energy.model import PowerModel
from agent.inputs.rules import InputRules
from agent.publish.rules import OutputRules
from common.address import Address

MOST_SLOTS = 200
"""Jobs that an agent may run at once: each poll names their leases in its address, which holds a few more."""
_NO_INPUTS = InputRules()
_NO_OUTPUTS = OutputRules()
_NO_PRICES = Prices()


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. Durations are seconds."""

    master: Address
    name: str
    """What people call the node."""
    state_dir: Path
    work_dir: Path
    """Outputs go to `<work_dir>/<job id>/`."""
    labels: Mapping[str, str]
    """Beyond the detected ones; these win."""
    poll_interval: float = 10.0
    """How long to wait before asking again, where the master cannot let us wait."""
    heartbeat_interval: float = 30.0
    drain_timeout: float = 300.0
    """How long running jobs get to finish after SIGTERM."""
    keep_outputs: float = 30 * 86400.0
    """How long the outputs of finished jobs are kept."""
    keep_outputs_size: int | None = None
    """Bytes that they may have together, before the oldest go; None: half of the work directory's disk."""
    cache_dir: Path | None = None
    """Where files of the master's store are kept that came once; None: `<state_dir>/cache`."""
    cache_size: int | None = None
    """Bytes that they may have together; None: a tenth of that disk."""

    inputs: InputRules = _NO_INPUTS
    """What jobs may read."""
    outputs: OutputRules = _NO_OUTPUTS
    """Where what they make may go."""
    power_model: PowerModel | None = None
    """How to estimate the energy of encodes where nothing counts it."""
    prices: Prices = _NO_PRICES
    """What the node costs."""

    @property
    def master_dir(self) -> Path:
        """What belongs to this master: our identity there, and its pinned CA."""
        return self.state_dir / self.master.directory
