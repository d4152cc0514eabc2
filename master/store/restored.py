"""A state that is older than what was acknowledged: restored from a backup, or repaired.

Agents may still run attempts of which it does not know, and their results must not be taken
for those of new attempts. So no attempt may ever be numbered again as one of these was.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from common.history import LOST_AT_MOST
from master.lifecycle.events import HistoryRewound

MARKER = "restored"
"""A file of this name in a state directory says that it is a copy. Every backup has it."""


def restored_marker(state_dir: Path) -> Path | None:
    """The file that says that this state is a copy; None if it is not.

    To be removed once `rewound` is recorded.
    """
    path = state_dir / MARKER
    return path if path.exists() else None


def rewound(history: int, at: datetime) -> HistoryRewound:
    """What happened to a state with `history` events when an unknown number of later ones was lost."""
    return HistoryRewound(at, heard=history + LOST_AT_MOST)
