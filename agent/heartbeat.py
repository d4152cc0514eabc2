"""The signs of life that keep the node and its leases."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import Any

import requests

from agent.link import Link, RefusedError
from agent.load import Meter
from agent.rotation import Rotation
from agent.running import RunningJobs, lease_clock
from common.client import READ_TIMEOUT, ApiError

log = logging.getLogger(__name__)

_JITTER = 0.1
"""How much earlier or later than its interval one comes: agents that start together drift apart."""
_LEAST_PATIENCE = 10.0
"""Seconds; a way of 5 s in each direction is slow, and not dead."""


class Heartbeats:
    """Sends them while the agent lives."""

    def __init__(
        self,
        link: Link,
        running: RunningJobs,
        interval: float,
        stopping: threading.Event,
        rotation: Rotation,
    ) -> None:
        """`interval`: the seconds between two, if the master allows that; `stopping` is told with each.

        `rotation` replaces the credential when an answer says that it is time.
        """
        self._link = link
        self._rotation = rotation
        self._running = running
        self._wished = interval
        self._stopping = stopping
        self._meter = Meter()

    def go_on(self, ended: threading.Event) -> None:
        """Send one after another until `ended`; time spent waiting for an answer is not waited again."""
        pause = self._pause()
        while not ended.wait(pause):
            begun = time.monotonic()
            self.send()
            pause = max(0.0, self._pause() - (time.monotonic() - begun))

    def send(self) -> None:
        """One, which renews the leases of the running jobs, and drops those that the master gave away."""
        leases, load = self._running.leases(), self._meter.read()

        def send() -> tuple[float, dict[str, Any]]:
            sent = lease_clock()
            stopping = self._stopping.is_set()
            return sent, self._link.client.heartbeat(
                self._link.node_id,
                leases,
                stopping=stopping,
                load=load,
                timeout=patience(self._link.term),
            )

        try:
            sent, answer = self._link.call(send)
        except (ApiError, requests.RequestException, RefusedError) as error:
            log.debug("No heartbeat: %s", error)
            return
        self._link.terms = answer  # a master that was started anew may have others
        self._running.keep_only(set(answer["leases"]), leases, sent)
        self._rotation.step()

    def _pause(self) -> float:
        return interval(self._wished, self._link.term, random.uniform(-1, 1))  # noqa: S311 - no secret


def interval(wished: float, term: float, chance: float) -> float:
    """Seconds between two: what was wished, or less where the third would come after the master's `term`.

    `chance`, from -1 to 1, makes it shorter or longer.
    """
    return min(wished, term / 3 / (1 + _JITTER)) * (1 + chance * _JITTER)


def patience(term: float) -> float:
    """Seconds to wait for an answer: one that hangs leaves time for two more before the `term` ends."""
    return min(READ_TIMEOUT, max(_LEAST_PATIENCE, term / 3))
