"""`ffrtmp top`: a farm on one screen, live."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from itertools import islice

import click
from rich.console import Console, RenderableType
from rich.live import Live

from common.client import MasterClient
from common.clock import system_clock
from master.operator.live.bars import Shown
from master.operator.live.frame import Seen, View, frame, next_sort
from master.operator.live.keys import Keys, keys
from master.operator.live.looking import INTERVAL, Away
from master.operator.talk import talks

_MOST_RUNNING, _MOST_PENDING, _MOST_FINISHED = 200, 20, 100
_DRAWN_EVERY = 0.5
"""Seconds: times run down between two looks."""


@click.command()
@talks
def top(client: MasterClient) -> None:
    """The whole farm on one screen, live: nodes, what runs, what waits, what was finished.

    Keys: q quits, p holds the picture still, s sorts what runs by another of its columns. Into a pipe goes
    one frame.
    """
    where = f"{client.address.host}:{client.address.port}"
    if not sys.stdout.isatty():
        console = Console(width=None)
        console.print(_drawn(look(client), View(), console, Shown(), where))
        return
    _Screen(client, where).run()


def look(client: MasterClient) -> Seen:
    """What is going on now."""
    status = client.status()
    return Seen(
        nodes=client.nodes(),
        running=list(islice(client.jobs("running"), _MOST_RUNNING)),
        pending=list(islice(client.jobs("pending", whole=True), _MOST_PENDING)),
        finished=list(islice(client.results(whole=True), _MOST_FINISHED)),
        paused=status["paused"],
        counts=status["jobs"],
        waiting=status["waiting"],
        stuck=sum(each["jobs"] for each in status["stuck"]),
    )


def _drawn(seen: Seen, view: View, console: Console, shown: Shown, where: str) -> RenderableType:
    clock = system_clock()
    size = console.size
    return frame(seen, view, (size.width, size.height), shown, clock.mono, clock.wall, where)


class _Screen:
    """Draws from one thread what another one found: a master that is slow to answer holds up no key."""

    def __init__(self, client: MasterClient, where: str) -> None:
        self._client, self._where = client, where
        self._seen, self._view, self._away = Seen(), View(), Away()
        self._error: BaseException | None = None
        self._ended = threading.Event()
        self._shown = Shown()

    def run(self) -> None:
        """Until somebody quits; raises what the master refuses for good."""
        console = Console()
        self._seen = look(self._client)
        threading.Thread(target=self._look, name="look", daemon=True).start()
        try:
            with keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
                while self._error is None and self._go_on(pressed):
                    live.update(self._draw(console), refresh=True)
        finally:
            self._ended.set()
        if self._error is not None:
            raise self._error

    def _draw(self, console: Console) -> RenderableType:
        view = replace(self._view, away=self._away.why)
        return _drawn(self._seen, view, console, self._shown, self._where)

    def _go_on(self, pressed: Keys) -> bool:
        for key in pressed.pressed(_DRAWN_EVERY):
            if key in "qQ":
                return False
            if key in "pP ":
                self._view = replace(self._view, frozen=not self._view.frozen)
            if key in "sS":
                self._view = next_sort(self._view)
        return True

    def _look(self) -> None:
        while not self._ended.wait(INTERVAL):
            try:
                found = self._away.ask(lambda: look(self._client))
            except Exception as error:  # noqa: BLE001 - the other thread raises it
                self._error = error
                return
            if found is not None and not self._view.frozen:
                self._seen = found
