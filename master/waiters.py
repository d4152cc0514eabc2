"""Parked long-polls: who waits for a job, and who is woken for one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from common.model import Job, Node
from master import scheduler
from master.pauses import Bell


@dataclass(eq=False, slots=True)
class Waiter:
    """One parked poll of one node."""

    node: Node
    place: int
    """Its place in the order of parking: who waits longer has a lower one."""
    deaf: bool = False
    """The node can take nothing now: only a change of the node itself wakes its poll."""
    idle: bool = True
    """Nothing ran on the node; else jobs that run alone cannot begin there."""
    woken: Bell = field(default_factory=Bell)
    job: Job | None = None
    """The job it was woken for; it may be gone by the time it looks."""
    before: int = 0
    """If it does not take that job, others may which were parked before this place."""
    superseded: bool = False
    """The node polls anew or is gone, or the master is stopping: answer at once, with nothing."""


class Waiters:
    """All parked polls, the longest waiting first; at most one for each node."""

    def __init__(self, most: int) -> None:
        """At most `most` polls may be parked."""
        self._most = most
        self._lock = threading.Lock()
        self._parked: dict[str, Waiter] = {}
        self._next_place = 0
        self._closed = False

    def __len__(self) -> int:
        """How many polls are parked."""
        return len(self._parked)

    @property
    def closed(self) -> bool:
        """Whether the master is stopping."""
        return self._closed

    def park(self, node: Node, *, deaf: bool, idle: bool = True) -> Waiter | None:
        """Wait for a job for `node`, in place of its older poll; None if there are too many.

        `idle`: nothing runs on it.
        """
        with self._lock:
            waiter = Waiter(node, self._next_place, deaf, idle)
            self._next_place += 1
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

    def wake_for(self, job: Job, before: int | None = None) -> None:
        """Wake the one that waited longest among those whose node can run `job`.

        `before`: only those that were parked before this place. A node may be able to run it and
        still not take it, since it makes room for another. It parks again after it has looked, so
        without this bound two such nodes would pass the job from one to the other for ever.
        """
        with self._lock:
            bound = self._next_place if before is None else before
            for waiter in self._parked.values():
                if waiter.place >= bound:
                    return
                ready = not waiter.deaf and (waiter.idle or not job.constraints.alone)
                if ready and scheduler.meets(waiter.node, job.constraints):
                    break
            else:
                return
            del self._parked[waiter.node.id]
            waiter.job, waiter.before = job, bound
        waiter.woken.ring()

    def wake_busy(self) -> None:
        """Let the polls of nodes look again that run something and have a slot free.

        They may have made room for a job that waits no longer.
        """
        with self._lock:
            busy = [waiter for waiter in self._parked.values() if not (waiter.deaf or waiter.idle)]
            for waiter in busy:
                del self._parked[waiter.node.id]
        for waiter in busy:
            waiter.woken.ring()

    def wake_first(self, most: int) -> bool:
        """Let up to `most` polls look again, the longest waiting first; whether there are more.

        They park again behind the others, so that all have their turn.
        """
        with self._lock:
            ready = [waiter for waiter in self._parked.values() if not waiter.deaf]
            for waiter in ready[:most]:
                del self._parked[waiter.node.id]
        for waiter in ready[:most]:
            waiter.woken.ring()
        return len(ready) > most

    def wake_node(self, node_id: str) -> None:
        """Let a node's poll look again: something about the node has changed."""
        with self._lock:
            waiter = self._parked.pop(node_id, None)
        if waiter is not None:
            waiter.woken.ring()

    def wake_all(self) -> None:
        """Let every poll look again."""
        with self._lock:
            parked = list(self._parked.values())
            self._parked.clear()
        for waiter in parked:
            waiter.woken.ring()

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
        waiter.woken.ring()
