"""Parked long-polls: who waits for a job, and who is woken for one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from common.model import Job, Node
from master import scheduler


@dataclass(eq=False, slots=True)
class Waiter:
    """One parked poll of one node."""

    node: Node
    deaf: bool = False
    """The node can take nothing now: only a change of the node itself wakes its poll."""
    woken: threading.Event = field(default_factory=threading.Event)
    job: Job | None = None
    """The job it was woken for; it may be gone by the time it looks."""
    superseded: bool = False
    """The node polls anew or is gone, or the master is stopping: answer at once, with nothing."""


class Waiters:
    """All parked polls, the longest waiting first; at most one for each node."""

    def __init__(self, most: int) -> None:
        """At most `most` polls may be parked."""
        self._most = most
        self._lock = threading.Lock()
        self._parked: dict[str, Waiter] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the master is stopping."""
        return self._closed

    def park(self, node: Node, *, deaf: bool) -> Waiter | None:
        """Wait for a job for `node`, in place of its older poll; None if there are too many."""
        waiter = Waiter(node, deaf)
        with self._lock:
            older = self._parked.pop(node.id, None)
            full = len(self._parked) >= self._most
            if not full and not self._closed:
                self._parked[node.id] = waiter
        if older is not None:
            self._supersede(older)
        if self._closed:
            self._supersede(waiter)
        return None if full else waiter

    def leave(self, waiter: Waiter) -> None:
        """Stop waiting."""
        with self._lock:
            if self._parked.get(waiter.node.id) is waiter:
                del self._parked[waiter.node.id]

    def wake_for(self, job: Job) -> None:
        """Wake the one that waited longest among those whose node can run `job`."""
        with self._lock:
            for waiter in self._parked.values():
                if not waiter.deaf and scheduler.meets(waiter.node, job.constraints):
                    break
            else:
                return
            del self._parked[waiter.node.id]
            waiter.job = job
        waiter.woken.set()

    def wake_node(self, node_id: str) -> None:
        """Let a node's poll look again: something about the node has changed."""
        with self._lock:
            waiter = self._parked.pop(node_id, None)
        if waiter is not None:
            waiter.woken.set()

    def wake_all(self) -> None:
        """Let every poll look again."""
        with self._lock:
            parked = list(self._parked.values())
            self._parked.clear()
        for waiter in parked:
            waiter.woken.set()

    def end(self, node_id: str) -> None:
        """Answer a node's poll with nothing: the node is gone."""
        with self._lock:
            waiter = self._parked.pop(node_id, None)
        if waiter is not None:
            self._supersede(waiter)

    def close(self) -> None:
        """The master stops: every poll is answered at once, now and from now on."""
        with self._lock:
            self._closed = True
            parked = list(self._parked.values())
            self._parked.clear()
        for waiter in parked:
            self._supersede(waiter)

    @staticmethod
    def _supersede(waiter: Waiter) -> None:
        waiter.superseded = True
        waiter.woken.set()
