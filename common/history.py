"""How long a master's history is, and which of its starts says so: how a restored copy is told.

Each start of a master has a name of its own, which its state keeps. A copy of the state lacks
the end of the start that it was made in, so whoever was told of that end knows more than the
copy does; however long the copy's own history has grown since.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LOST_AT_MOST = 10**12
"""Events that a copy of a state can lack: more than any master records while one lies about. No clock
is asked, since it may be wrong; and attempts keep numbers that every JSON parser reads exactly."""

_HEADER = re.compile(r"(\d{1,16})\.([A-Za-z0-9-]{0,64})", re.ASCII)


class History(NamedTuple):
    """What a master says of its history in a header."""

    events: int
    """How many events led to its state, since the beginning."""
    start: str
    """The start of the master that says so."""

    def header(self) -> str:
        """As it is sent."""
        return f"{self.events}.{self.start}"


def parse_history(text: str | None) -> History | None:
    """What a header says; None if it is none."""
    found = _HEADER.fullmatch(text or "")
    return None if found is None else History(int(found[1]), found[2])
