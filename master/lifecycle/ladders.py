"""The ladder as a family: its parts are the rungs, and its result is what they made, together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from common.analyzer import analyze
from common.ladder import Picture, Rung, rungs
from common.model import Findings, Job, Report, Scalar, Value
from common.scenarios import SCENARIOS
from common.settings import DEFAULT_SEGMENT_SECONDS
from master.lifecycle.parts import MAX_WARNINGS, Kind, Part
from master.lifecycle.sums import ALIKE, USED, alike, largest, number, summed

OF_THE_PARENT = ("ladder", "pictures")
"""Parameters that are not the rungs'."""
SUMS = ("output_bytes", "wall_seconds", *USED)
"""Metrics of a ladder that are the sums over its rungs; None where one of them does not know."""
_OF_ONE_ENCODE = (
    "fps",
    "speed",
    "bitrate",
    "bitrate_asked",
    "output_path",
    "command",
    "crf",
    "runs",
    "passes",
)
"""Metrics that several encodes on several nodes do not have together; each rung's result has its own."""


def parameters_of(parameters: Mapping[str, Value], rung: Rung, frame_rate: float | None) -> dict[str, Value]:
    """The parameters of one rung of a job with `parameters`: all have key frames at the same times."""
    kept = {name: value for name, value in parameters.items() if name not in OF_THE_PARENT}
    seconds = kept.get("segment_seconds", DEFAULT_SEGMENT_SECONDS)
    given: dict[str, Value] = {"container": usual_container(parameters), "segment_seconds": seconds}
    if frame_rate and isinstance(seconds, int | float):
        given["gop"] = max(2, min(1000, round(seconds * frame_rate)))
    return {
        **given,
        **kept,
        "width": rung.width,
        "height": rung.height,
        "bitrate": f"{rung.bitrate}",
    }


def usual_container(parameters: Mapping[str, Value]) -> str:
    """What a ladder is made as where nothing is asked for: HLS, but for VP9, which that does not know."""
    return "dash" if parameters.get("codec") == "vp9" else "hls"


def _divide(job: Job, report: Report) -> Sequence[Part]:
    source = _picture(report.metrics)
    asked = job.parameters["ladder"]
    codec = job.parameters.get("codec", SCENARIOS[job.scenario].codec)
    assert isinstance(asked, tuple)  # noqa: S101 - the schema made it one
    fps = job.parameters.get("fps", source.frame_rate)
    rate = float(fps) if isinstance(fps, int | float) else None
    wanted = rungs(asked, replace(source, frame_rate=rate), str(codec))
    return [Part(rung.name, parameters_of(job.parameters, rung, rate)) for rung in wanted]


def _picture(metrics: Mapping[str, Scalar]) -> Picture:
    """What the node says of the input; ValueError if it says too little."""
    width, height, rate = (metrics.get(name) for name in ("shown_width", "shown_height", "source_frame_rate"))
    if not (isinstance(width, int | float) and isinstance(height, int | float) and min(width, height) >= 2):
        raise ValueError("the node did not say how large the picture of the input is")
    return Picture(
        int(width), int(height), float(rate) if isinstance(rate, int | float) and rate > 0 else None
    )


def _joined(job: Job, parts: Sequence[Job], report: Report, _at: datetime) -> Report:
    """The metrics of the highest rung, and what all took together; the artifacts of all."""
    metrics = _metrics(job, parts, report)
    findings = _findings(job, parts, report)
    return replace(report, metrics=metrics, analyzer_output=analyze(metrics), findings=findings)


def _metrics(job: Job, parts: Sequence[Job], report: Report) -> dict[str, Scalar]:
    known = [dict(part.metrics or {}) for part in parts]
    top = max(known, key=lambda metrics: number(metrics, "height") or 0.0, default={})
    found: dict[str, Scalar] = {**top, **dict.fromkeys(_OF_ONE_ENCODE)}
    found |= summed(known, SUMS)
    if isinstance(found["output_bytes"], float):
        found["output_bytes"] = int(found["output_bytes"])
    found["peak_memory_bytes"] = largest(known, "peak_memory_bytes")
    for name in ALIKE:
        if name in found:
            found[name] = alike(known, name)
    if found.get("currency") is None:
        found["cost"] = None
    of_the_source = {
        k: v for k, v in (job.metrics or {}).items() if k.startswith(("source_", "shown_")) and v is not None
    }
    own = {k: v for k, v in report.metrics.items() if v is not None and k not in SUMS}
    return {**found, **of_the_source, **own}


def _findings(job: Job, parts: Sequence[Job], report: Report) -> Findings:
    """The artifacts of the parts are below their names, as they are in the output."""
    artifacts = [*report.findings.artifacts, *job.findings.artifacts]
    warnings = [*job.findings.warnings, *report.findings.warnings]
    for part in parts:
        artifacts += [replace(a, path=f"{part.part}/{a.path}") for a in part.findings.artifacts]
        warnings += [f"{part.part}: {text}" for text in part.findings.warnings]
    return Findings(artifacts=tuple(artifacts), warnings=tuple(warnings[:MAX_WARNINGS]))


LADDER = Kind(joined=_joined, divide=_divide)
