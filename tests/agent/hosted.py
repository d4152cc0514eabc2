"""Runs Python programs as the agent runs what reads files: by forks of hosts."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.apart import limits_of, run_apart
from agent.ffmpeg.process import Ended
from agent.ffmpeg.spawner import Spawner
from agent.hosts.pool import Family, Hosts
from agent.sandbox import Sandbox

PREAMBLE = """
import ctypes, os, resource, signal, socket, sys, time
def say(*words): print(*words, file=sys.stderr, flush=True)
def attempt(what):
    try: say('done', what())
    except OSError as error: say(os.strerror(error.errno))
"""
WHICH = "say(id(sys))"
"""Says where something is in memory: the forks of one host say the same."""


class Hosted:
    """The hosts of an agent."""

    def __init__(self, spawner: Spawner, sandbox: Sandbox, hosts: Hosts) -> None:
        self.spawner, self.sandbox, self.hosts = spawner, sandbox, hosts

    def run(
        self,
        body: str,
        *,
        family: str | None = "film",
        arguments: Sequence[str] = (),
        descriptors: Sequence[int] = (),
        abort: threading.Event | None = None,
        limits: Any = None,
        **more: Any,
    ) -> Ended:
        """How it ended; without a family it is a process of its own."""
        own = None if family is None else Family(self.hosts, family)
        return run_apart(
            PREAMBLE + body,
            arguments,
            self.spawner,
            replace(self.sandbox, family=own),
            abort or threading.Event(),
            limits or limits_of(0),
            descriptors,
            **more,
        )

    def says(self, body: str, **more: Any) -> tuple[str, ...]:
        """What a program says that ends well."""
        ended = self.run(body, **more)
        assert (ended.returncode, ended.why) == (0, None), ended
        return ended.log

    def which(self, family: str = "film") -> str:
        """The host that is asked now."""
        (said,) = self.says(WHICH, family=family)
        return said
