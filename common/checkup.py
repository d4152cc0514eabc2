"""What `ffrtmp doctor` and `agent --doctor` find: a line for each thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check went."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    SKIPPED = "skipped"


_MARKS = {State.GOOD: "✓", State.WARNING: "!", State.BAD: "✗", State.SKIPPED: "-"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing."""

    name: str
    state: State
    said: str
    todo: str | None = None
    """What to do; None if nothing is to be done."""

    def lines(self) -> str:
        """As people read it."""
        todo = "" if self.todo is None else f"\n    {self.todo}"
        return f"{_MARKS[self.state]} {self.name}: {self.said}{todo}"
