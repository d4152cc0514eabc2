"""Verbs that are tried again when somebody else was faster, at this master or another one.

A store that several masters share undoes a transaction that collided with another: nothing of it is kept, and
nobody was told anything. A `with` block cannot run twice, but a verb can, if its one transaction comes before
all else that it does. So it is the verb that is tried again, and not the request: that may have done more.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from master.store.errors import CollisionError

P = ParamSpec("P")
R = TypeVar("R")

PAUSES = (0.0, 0.02, 0.1)
"""Seconds before each further try, at most: those that collided do not meet again."""


def again(verb: Callable[P, R]) -> Callable[P, R]:
    """Try `verb` anew when it collides, a few times; then it is `unavailable`."""

    @functools.wraps(verb)
    def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        for pause in PAUSES:
            try:
                return verb(*args, **kwargs)
            except CollisionError:
                time.sleep(random.uniform(0.0, pause))  # noqa: S311 - nothing is to be kept secret
        return verb(*args, **kwargs)

    return tried
