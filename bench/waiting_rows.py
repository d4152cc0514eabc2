"""The rows of agents that wait."""

from __future__ import annotations

from functools import partial

from bench import starting, waiting
from bench.rig import Row, Subject, Target
from bench.waiting import AGENTS, ASKING


def rows(quick: bool) -> list[Row]:
    """With a thousand agents, and with few."""
    seconds, jobs, encodes = (1.0, 20, 5) if quick else (5.0, 100, 50)
    many, none, one = f"{AGENTS:,} agents wait", "no agent waits", "1 agent waits"

    def others(name: str, agents: int) -> Subject:
        return Subject(name, partial(waiting.others, agents, seconds))

    def woken(name: str, agents: int) -> Subject:
        return Subject(name, partial(waiting.woken, agents, jobs))

    def started(name: str, agents: int) -> Subject:
        return Subject(name, partial(starting.opened, agents, encodes))

    return [
        Row(
            "waiting-others", f"p99 of `/health` while {AGENTS:,} agents wait", "ms",
            others(many, AGENTS), (others(none, 0),), (Target(most=2.0, against=none),), "less",
            f"{ASKING} clients ask, one request after the other.", limit=300,
        ),
        Row(
            "waiting-woken", "From `POST /jobs` until a waiting agent has the job: p99", "ms",
            woken(many, AGENTS), (woken(one, 1),), (Target(most=20.0),), "less",
            "Durable: submit and claim are synced to the disk. The start of ffmpeg is not in it.", limit=300,
        ),
        Row(
            "waiting-started", "From `POST /jobs` until its ffmpeg runs on an idle agent: p99", "ms",
            started(f"{AGENTS:,} others wait", AGENTS), (started("no other waits", 0),), (), "less",
            "The last row and the start of a process: a shell in its sandbox, which then becomes ffmpeg.",
            runs=1, limit=600,
        ),
    ]  # fmt: skip
