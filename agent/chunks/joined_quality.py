"""How good a joined output is, from what was measured of its chunks."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from agent.chunks import scores
from agent.chunks.parts import opened_artifact, window_of
from agent.chunks.scores import Scores, ScoresError
from agent.encode import Encoded
from agent.produced import Produced
from agent.quality.frames import table
from agent.quality.measure import HIGH_RANGE, TABLE, Quality
from agent.quality.statistics import names, summarize
from agent.task import PartDone, Task
from common.model import ArtifactKind, Scalar


def quality_of(task: Task, encoded: Encoded, chunks: Sequence[PartDone], methods: Sequence[str]) -> Encoded:
    """The joined output with its quality, and the table of all its frames in the attempt's directory."""
    if not methods:
        return encoded
    found: dict[str, Scalar] = dict.fromkeys(name for method in methods for name in names(method))
    time_base = chunks[0].window.time_base if chunks[0].window is not None else (1, 1)
    whole = scores.together(methods, [(part.name, _scores(task, part)) for part in chunks], time_base)
    warnings = tuple(f"{method} was not measured: {why}" for method, why in whole.missing.items())
    if not whole.frames.values:
        return Quality(found, warnings).added_to(encoded)
    times = [time - whole.frames.output[0] for time in whole.frames.output]
    if "vmaf" in whole.frames.values:
        found["vmaf_model"] = whole.model
        warnings = (*warnings, *([HIGH_RANGE] if whole.high_range else []))
    for method, values in whole.frames.values.items():
        found |= summarize(values, times, max(encoded.probed.duration, times[-1])).metrics(method)
    target = encoded.settings.rate.target_vmaf
    mean = found.get("vmaf_mean")
    if target is not None:
        found["target_reached"] = None if not isinstance(mean, float) else abs(mean - target) <= 1
    with (task.directory / TABLE).open("x", encoding="ascii", newline="") as file:
        csv.writer(file).writerows(table(whole.frames))
    made = (Produced(TABLE, ArtifactKind.QUALITY, "text/csv"),)
    return Quality(found, warnings, made).added_to(encoded)


def _scores(task: Task, part: PartDone) -> Scores | str:
    """What was measured of a chunk; a text says why there is nothing."""
    made = next((each for each in part.artifacts if each.path == scores.NAME), None)
    if made is None:
        return "it was not measured"
    try:
        with opened_artifact(task, made) as descriptor:
            return scores.read(descriptor, window_of(part))
    except ScoresError as error:
        return str(error)
