"""A chunk that is to have a VMAF finds the CRF for that by itself, on its own frames."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent import steps
from agent.chunks.piece import Piece
from agent.chunks.scored import Measured, scores, with_scores
from agent.encode import Encoded
from agent.quality.measure import expected
from agent.search import with_crf
from agent.target import closest, next_samples
from agent.task import FailedError, Task
from common.crf import SCALES
from common.model import CrfProbe, Window
from common.settings import EncodeSettings

MOST = 5
"""Encodes of a chunk; the nearest of them is kept."""
Encode = Callable[[Task, EncodeSettings, Window, Piece], Encoded]


def tried(
    task: Task,
    settings: EncodeSettings,
    window: Window,
    cut: Piece,
    methods: Sequence[str],
    encode: Encode,
) -> Encoded:
    """The encode of the window that comes nearest to `target_vmaf`, with its scores.

    What `encode` raises; `encoder_missing` if nothing here can measure it; `AbortedError`.
    """
    target = settings.rate.target_vmaf or 0.0
    probes: list[CrfProbe] = []
    best: tuple[Encoded, Measured, CrfProbe] | None = None
    while len(probes) < MOST and (crf := next_samples(target, SCALES[settings.codec], probes)) is not None:
        own = replace(task, directory=task.directory / f"try-{len(probes) + 1}")
        own.directory.mkdir()
        task.tools.course.plan((*steps.encodes(settings), *expected(settings, methods), steps.publish()))
        encoded = encode(own, with_crf(settings, crf), window, cut)
        found = scores(own, encoded, window, cut, methods)
        if found.vmaf is None:
            raise FailedError("encoder_missing", f"target_vmaf: {found.notes.get('vmaf', 'it is unknown')}")
        probes.append(CrfProbe(crf, found.vmaf, encoded.probed.bitrate, whole=False))
        if best is None or closest(target, (best[2], probes[-1])) is probes[-1]:
            gone, best = best and best[0], (encoded, found, probes[-1])
        else:
            gone = encoded
        if gone is not None:
            shutil.rmtree(gone.path.parent)
    if best is None:
        raise RuntimeError("the search ended before anything was encoded")
    return with_scores(best[0], best[1])
