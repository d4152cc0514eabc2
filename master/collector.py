"""The garbage collector is kept from walking, again and again, through all that the master holds.

A full collection looks at each object that could be part of a cycle, and nobody is answered meanwhile: 0.3 s
and more with 100,000 jobs. Records hold no cycles, and go when their last reference does. What a full
collection has left is alive, so it is set aside (`gc.freeze`): later ones look only at what came since.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

LONG = 0.005
"""Seconds of a full collection after which what it left is set aside too: nobody is to wait much longer."""
_FULL = 2
"""The oldest generation."""


class SettingAside:
    """Called by the collector when it begins and when it ends, never by two threads at once."""

    def __init__(
        self, timer: Callable[[], float] = time.perf_counter, freeze: Callable[[], None] = gc.freeze
    ) -> None:
        self._timer = timer
        self._freeze = freeze
        self._begun = timer()

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        """`phase` is `start` or `stop`; `info` says which generation."""
        if info["generation"] != _FULL:
            return
        if phase == "start":
            self._begun = self._timer()
        elif self._timer() - self._begun > LONG:
            self._freeze()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep the collector still while very much is made that stays."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def settle() -> None:
    """Set aside all that was loaded, and from now on what long collections leave; once for a process."""
    gc.collect()
    gc.freeze()
    if not any(isinstance(each, SettingAside) for each in gc.callbacks):
        gc.callbacks.append(SettingAside())
