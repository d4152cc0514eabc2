"""How good each frame of a chunk is, kept for the join, which puts the chunks' frames together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from statistics import fmean

from agent.chunks.argv import frames_of, input_of
from agent.chunks.piece import Piece
from agent.chunks.scores import FORMAT, NAME
from agent.encode import Encoded
from agent.ffmpeg.compare import Feed
from agent.ffmpeg.source import opened
from agent.produced import Produced
from agent.quality.compare import Compared, NotMeasuredError, compare
from agent.quality.measure import comparison, measurable, opened_file
from agent.task import Task
from common.model import ArtifactKind, Window

_MOST_NOTE = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """The frames [first, end) of a window, as a comparison has them."""

    ticks: tuple[int, ...] = ()
    values: dict[str, list[float]] = field(default_factory=dict)
    model: str | None = None
    notes: dict[str, str] = field(default_factory=dict)
    """By method, why it was not measured."""
    high_range: bool = False

    @property
    def vmaf(self) -> float | None:
        """The mean."""
        values = self.values.get("vmaf")
        return fmean(values) if values else None

    def text(self) -> str:
        """As the join reads it (`agent.chunks.scores`)."""
        document = {
            "format": FORMAT,
            "ticks": self.ticks,
            "scores": {
                method: [round(value, 6) for value in values] for method, values in self.values.items()
            },
            "model": self.model if "vmaf" in self.values else None,
            "notes": self.notes,
            "high_range": self.high_range,
        }
        return json.dumps(document, separators=(",", ":"), allow_nan=False)


def scored(task: Task, encoded: Encoded, window: Window, cut: Piece, methods: Sequence[str]) -> Encoded:
    """The encode with its scores beside it, if there are any to be made. `AbortedError`."""
    if not methods:
        return encoded
    return with_scores(encoded, scores(task, encoded, window, cut, methods))


def with_scores(encoded: Encoded, found: Measured) -> Encoded:
    """The encode with these scores beside it."""
    encoded.path.with_name(NAME).write_text(found.text(), encoding="utf-8")
    made = Produced(NAME, ArtifactKind.INTERMEDIATE, "application/json")
    return replace(encoded, files=(*encoded.files, made))


def scores(task: Task, encoded: Encoded, window: Window, cut: Piece, methods: Sequence[str]) -> Measured:
    """Compares the chunk with its piece, frame by frame.

    From its lead on, so that the motion that VMAF sees before the first frame is the film's.
    Where that fails there are no numbers, but notes: the chunk is as good as it was. `AbortedError`.
    """
    able, why = measurable(methods, encoded)
    notes = {method: why[0].partition(": ")[2][:_MOST_NOTE] for method in methods if method not in able}
    if not able:
        return Measured(_ticks(window, []), notes=notes)
    try:
        compared, model = _compared(task, encoded, window, cut, able)
    except NotMeasuredError as error:
        return Measured(notes={**notes, **dict.fromkeys(able, str(error)[:_MOST_NOTE])})
    own = slice(window.first - window.lead, window.end - window.lead)
    values = {method: list(each[own]) for method, each in compared.frames.values.items()}
    ticks = _ticks(window, compared.frames.output[own])
    return Measured(ticks, values, model, notes, compared.high_range)


def _ticks(window: Window, times: Sequence[float]) -> tuple[int, ...]:
    """From seconds since the chunk's first frame to ticks since the file's start."""
    tick = Fraction(*window.time_base)
    return tuple(window.ticks[2] + round(time / tick) for time in times)


def _compared(
    task: Task, encoded: Encoded, window: Window, cut: Piece, methods: Sequence[str]
) -> tuple[Compared, str]:
    settings, version = encoded.settings, encoded.ffmpeg.version
    descriptor = cut.rewound()
    filters = tuple(frames_of(settings, window, cut.base, cut.packets))
    reference = Feed((tuple(input_of(descriptor, version)),), filters)
    with opened_file(encoded.path) as own:
        output = Feed((tuple(opened(own, version)),))
        wanted = comparison(settings, output, reference, encoded.probed.pixel_format, methods)
        frames = window.tail - window.lead
        return compare(task, wanted, [own, descriptor], frames, encoded.probed.frames), wanted.model
