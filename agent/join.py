"""Joins what the parts of a job have made: one playlist or manifest of all renditions, or one file."""

from __future__ import annotations

import os
from dataclasses import replace

from agent.chunks.join import join_chunks
from agent.inputs.measured import MeasuredInput
from agent.inputs.source import open_input
from agent.produced import Produced
from agent.publish.below import publish_below
from agent.renditions import dash, hls
from agent.renditions.measure import MAX_PLAYLIST
from agent.task import Done, FailedError, PartDone, Task
from common.model import Artifact, ArtifactKind, Findings, Scalar

HLS, DASH = "master.m3u8", "manifest.mpd"
"""The names of what is made, below the job's output."""
_TYPES = {HLS: "application/vnd.apple.mpegurl", DASH: "application/dash+xml"}


def join(task: Task, given: MeasuredInput | None = None) -> Done:
    """What the parts have made, as one, published; `FailedError`, `InputFailedError`."""
    del given  # the parts are all it needs
    if task.assignment.parameters.get("split") not in (None, "off"):
        return join_chunks(task)
    parts = task.assignment.parts
    if not parts:
        raise FailedError("agent_error", "the master gave no parts to join")
    main = {part.name: _main(part) for part in parts}
    if all(artifact.media_type == _TYPES[HLS] for artifact in main.values()):
        name, text = HLS, hls.master([_rendition(part, main[part.name]) for part in parts])
    elif all(artifact.media_type == _TYPES[DASH] for artifact in main.values()):
        name, text = DASH, _manifest(task, main)
    else:
        raise FailedError("output_invalid", "the parts are of different kinds: they cannot be joined")
    (task.directory / name).write_text(text, encoding="utf-8")
    made = [Produced(name, ArtifactKind.PLAYLIST, _TYPES[name])]
    return {}, Findings(artifacts=publish_below(task, name, task.directory, made, pieces=False))


def _main(part: PartDone) -> Artifact:
    """The playlist of a part: what it names first."""
    for artifact in part.artifacts:
        if artifact.kind is ArtifactKind.PLAYLIST:
            return artifact
    raise FailedError("output_invalid", f"part {part.name} has no playlist: it cannot be joined")


def _rendition(part: PartDone, playlist: Artifact) -> hls.Rendition:
    width, height, peak, average = (
        _number(part, name) for name in ("width", "height", "peak_bitrate", "average_bitrate")
    )
    if width is None or height is None or peak is None:
        raise FailedError("output_invalid", f"of part {part.name} size and bitrate are not known")
    codecs = part.metrics.get("codecs")
    return hls.Rendition(
        uri=f"{part.name}/{playlist.path}",
        width=int(width),
        height=int(height),
        peak=int(peak),
        average=int(peak if average is None else average),
        codecs=codecs if isinstance(codecs, str) else None,
        frame_rate=_number(part, "frame_rate"),
    )


def _number(part: PartDone, name: str) -> float | None:
    value: Scalar = part.metrics.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _manifest(task: Task, main: dict[str, Artifact]) -> str:
    manifests = [dash.Manifest(name, _read(task, name, artifact)) for name, artifact in main.items()]
    try:
        return dash.join(manifests)
    except dash.ManifestError as error:
        raise FailedError("output_invalid", f"{error}") from error


def _read(task: Task, name: str, artifact: Artifact) -> str:
    """A small file of a part, wherever that was made."""
    if artifact.location is None:
        raise FailedError("output_invalid", f"what part {name} has made is only on the node that made it")
    tools = task.tools
    # What nodes write to a root, they can read there.
    rules = replace(tools.inputs, media_roots={**tools.outputs.roots, **tools.inputs.media_roots})
    with (
        open_input(artifact.location, rules, task.directory / "part", tools.abort, tools.files) as descriptor,
        os.fdopen(os.dup(descriptor), "rb") as file,
    ):
        content = file.read(MAX_PLAYLIST)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FailedError("output_invalid", f"the manifest of part {name} is no text") from error
