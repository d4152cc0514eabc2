"""The rules of jobs and nodes, without clocks, threads, files or network.

`decide(view, command, now)` holds every rule: it answers a command with events,
or refuses with a `common.problems.Problem`. `apply(record, event)` carries one
fact out and decides nothing.
"""

from master.lifecycle.apply import Record, apply, carry_out
from master.lifecycle.decide import View, current_lease, decide
from master.lifecycle.fits import fits

__all__ = ["Record", "View", "apply", "carry_out", "current_lease", "decide", "fits"]
