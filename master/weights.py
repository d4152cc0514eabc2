"""How much work the parts of a file are that is encoded in chunks: one rule for cuts, nodes and progress.

Work is, in equal shares, frames and the bytes that the input spends on them: frames alone would make a dark,
still passage as long as a fight; bytes alone would make it endless (docs/decisions/0047).
"""

from __future__ import annotations

from collections.abc import Sequence

from common.model import Job, Stage

LOOK, SOUND = 0.25, 0.03
"""What looking at a chunk, and the sound of all, take beside encoding the picture: no more than a guess."""


def work(frames: int, size: int, of_frames: int, of_size: int) -> int:
    """The work of `frames` with `size` bytes, in a file that has `of_frames` and `of_size`.

    A whole number, so that no machine rounds it differently: all of the file is `work(F, S, F, S)`.
    """
    return frames * (of_size or 1) + size * of_frames


def frames_of(part: Job) -> int:
    """The frames that a part brings; 0: it is no chunk."""
    return 0 if part.window is None else part.window.end - part.window.first


def weigh(parts: Sequence[Job]) -> list[float]:
    """How much work each of the `parts` of one file is, in frames of its picture; twins may be among them."""
    chunks = [part for part in parts if part.stage is Stage.CHUNK and part.twin_of is None]
    frames = sum(map(frames_of, chunks))
    size = sum(part.window.work for part in chunks if part.window is not None)
    whole = work(frames, size, frames, size)

    def weight(part: Job) -> float:
        if part.window is None:
            return SOUND * frames
        share = work(frames_of(part), part.window.work, frames, size) / whole if whole else 0.0
        return frames * share * (LOOK if part.stage is Stage.LOOK else 1.0)

    return [weight(part) for part in parts]
