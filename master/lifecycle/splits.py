"""The split as a family: its parts are chunks of one file, and its result is the file that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from common.analyzer import analyze
from common.inputs import stored_file
from common.model import Artifact, ArtifactKind, Findings, Job, Node, NodeStatus, Report, Scalar, Stage, Value
from common.outputs import FILES
from common.scenarios import SCENARIOS
from common.settings.live import resolve_job
from common.settings.named import with_named_container
from common.split import MOST_CHUNKS, asked
from master.chunking import WORTH_IT, windows
from master.lifecycle.parts import MAX_WARNINGS, Kind, NotDividedError, Part
from master.lifecycle.sums import ALIKE, USED, alike, largest, number, summed

ENOUGH = 2
"""Nodes that see a media root: then no chunk needs the input from the file store."""
MOST_LOOKED_AT = 100
"""Chunks of a file with a bitrate: each of them depends on what was seen of all."""
OF_THE_PARENT = ("split", "pictures")
"""Parameters that are not the parts'."""
_OF_ALL_CHUNKS = ("bitrate_asked", "preset", "passes")
"""Metrics of the whole that its chunks share."""


def source_of(job: Job) -> str | None:
    """What the plan of a split job found out of its whole input; None: there is nothing."""
    found = job.findings.divisible
    return None if found is None or job.stage is not Stage.JOIN else found.source


def hands_on(job: Job, nodes: Callable[[], Iterable[Node]]) -> bool:
    """Whether the node that plans `job` has to put the input into the file store, for other nodes.

    Not if it lies there already, nor if several nodes see it in place.
    """
    if job.stage is not Stage.PLAN or asked(job.parameters) is None or job.input is None:
        return False
    if stored_file(job.input) is not None:
        return False
    place = job.constraints.input or ""
    if not place.startswith("media:"):
        return True
    root = place.removeprefix("media:")
    see_it = (node.status(0) is NodeStatus.AVAILABLE and root in (node.media_roots or ()) for node in nodes())
    return sum(see_it) < ENOUGH


def _divide(job: Job, report: Report) -> Sequence[Part]:
    """The parts, in the order of the film: looks, chunks, sound. `NotDividedError`, ValueError."""
    found, count = report.findings.divisible, asked(job.parameters)
    if found is None or count is None:
        raise ValueError("the node did not say where the input can be cut")
    if found.reason is not None:
        raise NotDividedError(found.reason)
    looks = _holds_a_bitrate(job)
    chosen = windows(found, count, MOST_LOOKED_AT if looks else MOST_CHUNKS)
    if len(chosen) < 2:
        numerator, denominator = found.time_base
        seconds = found.end * numerator / denominator
        if not count and seconds < WORTH_IT:
            raise NotDividedError(
                f"The input is encoded whole: {seconds:.1f} s are too short to be worth it, which begins at "
                f"{WORTH_IT:g} s; with a number for split it is divided."
            )
        raise NotDividedError("The input is encoded whole: there is no place where it could be cut.")
    # What the parts make has names of its own, which say nothing of the container.
    asked_for = with_named_container(job.parameters, job.output)
    parameters: dict[str, Value] = {k: v for k, v in asked_for.items() if k not in OF_THE_PARENT}

    def part(name: str, stage: Stage, **more: object) -> Part:
        return Part(name, parameters, stage, input=found.input, output=FILES, **more)  # type: ignore[arg-type]

    first = [part(f"look-{n:03}", Stage.LOOK, window=w) for n, w in enumerate(chosen, 1)] if looks else []
    after = tuple(each.name for each in first)
    chunks = [
        part(f"chunk-{number:03}", Stage.CHUNK, window=window, after=after)
        for number, window in enumerate(chosen, 1)
    ]
    return [*first, *chunks, *([part("sound", Stage.SOUND)] if found.others else [])]


def _holds_a_bitrate(job: Job) -> bool:
    """Whether bits are given to chunks: then each is looked at before."""
    rate = resolve_job(SCENARIOS[job.scenario], job.parameters, job.input, job.output).rate
    return rate.bitrate is not None


def _joined(job: Job, parts: Sequence[Job], report: Report, at: datetime) -> Report:
    """What the join says of the output; what all took together; or that it was encoded whole, and why."""
    if not parts:
        return _whole(job, report)
    metrics = _metrics(parts, report, at)
    return replace(
        report, metrics=metrics, analyzer_output=analyze(metrics), findings=_findings(job, parts, report)
    )


def _whole(job: Job, report: Report) -> Report:
    found = job.findings.divisible
    if found is None or found.reason is None:
        return report
    note = found.reason
    warnings = (*job.findings.warnings, *report.findings.warnings, note)[-MAX_WARNINGS:]
    metrics = {**report.metrics, "split_note": note}
    return replace(
        report, metrics=metrics, findings=replace(report.findings, warnings=warnings, divisible=None)
    )


def _metrics(parts: Sequence[Job], report: Report, at: datetime) -> dict[str, Scalar]:
    own = {name: value for name, value in report.metrics.items() if value is not None}
    known = [dict(part.metrics or {}) for part in parts]
    chunks = [dict(part.metrics or {}) for part in parts if part.stage is Stage.CHUNK]
    joins = [own] if number(own, "cpu_seconds") is not None else []
    found: dict[str, Scalar] = {**dict.fromkeys(report.metrics), **own}
    found |= summed([*known, *joins], USED)
    found["peak_memory_bytes"] = largest([*known, own], "peak_memory_bytes")
    for name in ALIKE:
        found[name] = alike(chunks, name)
    for name in _OF_ALL_CHUNKS:
        found.setdefault(name, alike(chunks, name))
        found[name] = alike(chunks, name) if found[name] is None else found[name]
    found["passes"] = alike(chunks, "passes") or found["passes"]  # the looks are the first of two
    if found["currency"] is None:
        found["cost"] = None
    crfs = [crf for metrics in chunks if (crf := number(metrics, "crf")) is not None]
    if crfs and len(crfs) == len(chunks):
        found["crf"] = crfs[0] if min(crfs) == max(crfs) else None
        found |= {"crf_min": min(crfs), "crf_max": max(crfs)}
    begun = [part.attempts[0].started_at for part in parts if part.attempts]
    wall = max(0.0, (at - min(begun)).total_seconds()) if begun else None
    found["wall_seconds"] = wall
    for rate, amount in (("fps", "frames"), ("speed", "duration")):
        made = number(own, amount)
        found[rate] = round(made / wall, 6) if made is not None and wall else None
    return {**found, "runs": 1, "command": None, "chunks": len(chunks)}


def _findings(job: Job, parts: Sequence[Job], report: Report) -> Findings:
    said = [f"{part.part}: {text}" for part in parts for text in part.findings.warnings]
    warnings = (*job.findings.warnings, *report.findings.warnings, *said)[:MAX_WARNINGS]
    kept = tuple(each for each in job.findings.artifacts if not _is_intermediate(each))
    return replace(
        report.findings, artifacts=(*report.findings.artifacts, *kept), warnings=warnings, divisible=None
    )


def _is_intermediate(artifact: Artifact) -> bool:
    return artifact.kind is ArtifactKind.INTERMEDIATE


SPLIT = Kind(joined=_joined, divide=_divide)
