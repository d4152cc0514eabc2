"""Encodes chunks as nodes do, and has them joined."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av

from agent.chunks.facts import to_text
from agent.task import PartDone
from common.model import Report, Stage, Value, Window
from tests.split.pieces import Farm, facts, windows


def run_chunk(
    farm: Farm, clip: Path, name: str, window: Window, parameters: dict[str, Value], **more: Any
) -> Report:
    """One attempt at a chunk; its files are beside the clip."""
    stage = more.pop("stage", Stage.CHUNK)
    source = more.pop("source", None) or to_text(facts(clip))
    output = f"media:clips/{name}.mp4"
    given = {"preset": "ultrafast", "overwrite": True, **parameters}
    return farm.run(clip, stage, output, given, window=window, source=source, **more)


def file_of(farm: Farm, report: Report, name: str = "chunk.mp4") -> Path:
    """What the attempt made."""
    assert report.error is None, report.error
    location = next(each.location for each in report.findings.artifacts if each.path == name)
    assert location is not None
    return farm.clips.directory / location.partition("/")[2]


def split(farm: Farm, clip: Path, cuts: Sequence[int], lead: int = 3, **parameters: Value) -> Path:
    """The joined picture of chunks that begin at these frames."""
    given = {"preset": "ultrafast", "audio": "none", **parameters}
    report = farm.joined(clip, chunks(farm, clip, cuts, lead, **given), given)
    assert report.error is None, report.error
    made = Path(str(report.metrics["output_path"]))
    return made.rename(made.with_name(f"split-{made.name}"))


def chunks(farm: Farm, clip: Path, cuts: Sequence[int], lead: int = 3, **parameters: Value) -> list[PartDone]:
    """The chunks that begin at these frames."""
    parts = []
    for number, window in enumerate(windows(clip, cuts, lead), 1):
        name = f"chunk-{number:03}"
        report = run_chunk(farm, clip, name, window, dict(parameters))
        assert report.error is None, report.error
        parts.append(
            PartDone(name, f"job-{name}", report.metrics, report.findings.artifacts, Stage.CHUNK, window)
        )
    return parts


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def header(path: Path) -> bytes:
    """What a decoder has to know before the first picture."""
    with av.open(str(path)) as container:
        return bytes(container.streams.video[0].codec_context.extradata or b"")
