"""How many jobs a second a farm of a given size finishes, from what one job was measured to cost. Pure.

A job is submitted, claimed and reported, and each answer waits for the disk. What is used up first bounds
the rate: the masters' processors, the database's, or the time that each of a bounded number of transactions
takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bench.masters import COMMITS, DATABASE_CPU, LOG, MASTERS_CPU, ONE, STATEMENTS
from bench.rig import Result
from master.store.postgres.store import CONNECTIONS

ROW = "masters-one"
"""The row that says what a job costs."""
BUSY = 0.7
"""The share of a processor that is planned with: with more, everybody waits for everybody."""
Bound = Literal["masters' processors", "database's processors", "waiting for the database"]


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one job, from its submission to its result."""

    master: float
    """Seconds of a master's CPU time."""
    database: float
    """Seconds of the database's CPU time."""
    statements: float
    """Questions to the database; each is a round trip."""
    commits: float
    log: float
    """Bytes that the database writes to its log."""


@dataclass(frozen=True, slots=True)
class Site:
    """A farm as somebody plans it."""

    name: str
    masters: int
    cores: int
    """Of the database, all its machines together."""
    trip: float
    """Seconds from a master to the database and back."""
    commit: float
    """Seconds until a commit is safe: a sync of the disk, or a majority that has synced."""
    work: float = 1.0
    """How many times the CPU time of one PostgreSQL this database takes for the same."""


@dataclass(frozen=True, slots=True)
class Size:
    """What to expect of a site."""

    rate: float
    """Jobs a second."""
    bound: Bound
    """What is used up first."""
    wait: float
    """Seconds that a job's requests wait for the database, all together."""
    log: float
    """Bytes a second that the database's log grows by."""


SITES = (
    Site("1 master, PostgreSQL with 2 cores beside it", 1, 2, 0.0001, 0.002),
    Site("2 masters, PostgreSQL with 4 cores in the same network", 2, 4, 0.0003, 0.002),
    Site("4 masters, PostgreSQL with 8 cores in the same network", 4, 8, 0.0003, 0.001),
    Site("8 masters, PostgreSQL with 16 cores and a standby that commits wait for", 8, 16, 0.0003, 0.002),
    Site("4 masters, distributed database, 3 machines with 8 cores in one zone", 4, 24, 0.001, 0.006, 4.0),
    Site("8 masters, the same with 6 machines", 8, 48, 0.001, 0.006, 4.0),
    Site("8 masters, 6 machines in three regions 30 ms apart", 8, 48, 0.001, 0.035, 4.0),
)


def costs_from(results: Mapping[str, Result]) -> Costs | None:
    """What a job was measured to cost; None if it was not."""
    result = results.get(ROW)
    taken = None if result is None else result.of(ONE)
    more = {} if taken is None else taken.more()
    names = (MASTERS_CPU, DATABASE_CPU, STATEMENTS, COMMITS, LOG)
    if not all(name in more for name in names):
        return None
    master, database, statements, commits, log = (more[name] for name in names)
    return Costs(master / 1e6, database / 1e6, statements, commits, log)


def size(costs: Costs, site: Site) -> Size:
    """Of the three bounds the least.

    A master is one process that runs Python on one processor at a time. While a request waits for the
    database it holds one of its master's connections (Little's law: their number divided by the time is
    the rate).
    """
    wait = costs.statements * site.trip + costs.commits * site.commit
    bounds: dict[Bound, float] = {
        "masters' processors": site.masters * BUSY / costs.master,
        "database's processors": site.cores * BUSY / (costs.database * site.work),
        "waiting for the database": site.masters * CONNECTIONS * BUSY / wait,
    }
    bound = min(bounds, key=lambda name: bounds[name])
    return Size(bounds[bound], bound, wait, bounds[bound] * costs.log)


def table(results: Mapping[str, Result]) -> Iterator[str]:
    """Markdown: what a job costs, and what to expect of some sites; nothing if it was not measured."""
    costs = costs_from(results)
    if costs is None:
        return
    yield (
        f"A job costs {1e6 * costs.master:,.0f} us of a master, {1e6 * costs.database:,.0f} us of "
        f"PostgreSQL, {costs.statements:.0f} statements, {costs.commits:.1f} commits and "
        f"{costs.log / 1000:.1f} kB of log. From that follows ([how](scaling.md#what-to-size)), with "
        f"processors at {BUSY:.0%}:\n"
    )
    yield "| site | round trip | commit | jobs/s | bound by | waits of a job | log |"
    yield "|---|---|---|---|---|---|---|"
    for site in SITES:
        found = size(costs, site)
        yield (
            f"| {site.name} | {1000 * site.trip:g} ms | {1000 * site.commit:g} ms | {found.rate:,.0f} "
            f"| {found.bound} | {1000 * found.wait:,.0f} ms | {found.log / 1e6:,.1f} MB/s |"
        )
