"""The rules of jobs and nodes, without clocks, threads, files or network.

`decide(view, command, now)` answers a command with events, or refuses with a
`common.problems.Problem`; the rules are in `attempts`, `jobs`, `nodes`, `credentials`, `tokens`
and `webhooks`, and `decide` has the table of them. `apply(record, event)` carries one fact out and
decides nothing.
"""

from master.lifecycle.apply import Record, apply, carry_out
from master.lifecycle.attempts import current_lease
from master.lifecycle.decide import decide
from master.lifecycle.fits import fits
from master.lifecycle.nodes import same_agent
from master.lifecycle.view import View

__all__ = ["Record", "View", "apply", "carry_out", "current_lease", "decide", "fits", "same_agent"]
