"""Where an input may be divided, so that its chunks can be encoded on several machines."""

from __future__ import annotations

from agent.inputs.measured import MeasuredInput
from agent.task import Task
from common.model import Divisible
from common.settings import EncodeSettings

LEAD = 12
"""Frames of the output that an encoder is warmed up by before those that are wanted."""
TAIL = 45
"""Frames of the output that an encoder is shown beyond those that are wanted: it looks ahead."""


def find(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> Divisible:
    """Where the input may be divided, or why it may not be.

    `FailedError`, `AbortedError`, `OutputFailedError` if it cannot be put where other nodes find it.
    """
    raise NotImplementedError
