"""Loads our programs once, for all that are forked from the process that imports this: see `tests.forked`."""

from __future__ import annotations

import gc

import agent.cli
import agent.doctor
import agent.start
import master.cli
import master.operator.cli
import master.runtime
import master.server
import tests.masters
import tests.serving.farm
from master.app import compile_pages

__all__ = ["agent", "master", "tests"]

compile_pages()
# The collector of a forked process need not walk through all this, which would also copy it.
gc.collect()
gc.freeze()
