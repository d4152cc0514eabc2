"""An answer that is not there yet, and holds no thread while it is waited for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from master.pauses import Pause, Steps

PARKS = "master.parks"
"""In the WSGI environment: the server takes a `Parked` for an answer. To others the application answers when
it can, waiting in its thread."""


class Parked:
    """What the application returns in place of an answer. `start_response` is not called yet."""

    __slots__ = ("_steps", "pause")

    def __init__(self, steps: Steps[Iterable[bytes]], pause: Pause) -> None:
        """`steps` stand at `pause`."""
        self._steps = steps
        self.pause = pause
        """When to go on."""

    def go_on(self) -> Iterable[bytes]:
        """The answer, or a `Parked` again (this one); to be called once after each pause."""
        return _advance(self._steps, self)

    def close(self) -> None:
        """Nobody wants the answer any more."""
        self._steps.close()

    def __iter__(self) -> Iterator[bytes]:
        """To WSGI all answers are iterables; this one must not be mistaken for one."""
        raise TypeError("this answer is not there yet")


def begin(steps: Steps[Iterable[bytes]]) -> Iterable[bytes]:
    """The answer that `steps` end with, or a `Parked`, if they pause."""
    return _advance(steps, None)


def _advance(steps: Steps[Iterable[bytes]], parked: Parked | None) -> Iterable[bytes]:
    try:
        pause = next(steps)
    except StopIteration as end:
        pieces: Iterable[bytes] = end.value
        return pieces
    if parked is None:
        return Parked(steps, pause)
    parked.pause = pause
    return parked
