"""The quality of a film from that of its chunks, frame by frame. Pure but for `read`."""

from __future__ import annotations

import json
import math
import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from agent.quality.frames import METHODS, Frames
from common.model import Window

NAME = "scores.json"
FORMAT = 1
_MOST_FOR_A_FRAME = 200
"""Bytes: a tick and a value for each method."""
_MOST_NOTE = 200


class ScoresError(ValueError):
    """A chunk's scores cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one chunk."""

    ticks: array[int]
    """When each of its frames is shown."""
    values: dict[str, array[float]]
    """By method, one for each frame."""
    model: str | None = None
    """Of VMAF."""
    notes: dict[str, str] = field(default_factory=dict)
    """By method, why it was not measured."""
    high_range: bool = False


def read(descriptor: int, window: Window) -> Scores:
    """What a node wrote of the chunk `window`, believed no more than that node is. `ScoresError`."""
    frames = window.end - window.first
    size = os.fstat(descriptor).st_size
    if size > _MOST_FOR_A_FRAME * (frames + 100):
        raise ScoresError(f"its scores have {size} bytes")
    with os.fdopen(os.dup(descriptor), "rb") as file:
        try:
            return _parse(json.loads(file.read(), parse_constant=_no_number), window, frames)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise ScoresError(f"its scores cannot be read: {error}") from error


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _parse(said: Any, window: Window, frames: int) -> Scores:
    if said["format"] != FORMAT:
        raise ValueError(f"their format is {said['format']!r}")
    ticks = array("q", said["ticks"])
    if len(ticks) != frames or list(ticks) != sorted(set(ticks)):
        raise ValueError(f"they have {len(ticks)} times for {frames} frames")
    if not window.ticks[0] <= ticks[0] <= ticks[-1] < window.ticks[1]:
        raise ValueError("they are of other frames")
    values = {method: array("d", said["scores"][method]) for method in METHODS if method in said["scores"]}
    for method, each in values.items():
        if len(each) != frames or not all(map(math.isfinite, each)):
            raise ValueError(f"{method} has no value for each frame")
    notes = {str(name): str(why)[:_MOST_NOTE] for name, why in said.get("notes", {}).items()}
    model = said.get("model")
    return Scores(ticks, values, None if model is None else str(model), notes, bool(said.get("high_range")))


@dataclass(frozen=True, slots=True)
class Whole:
    """Of a film."""

    frames: Frames
    model: str | None
    high_range: bool
    missing: dict[str, str]
    """By method that was asked for, why there are no numbers."""


def together(
    methods: Sequence[str], chunks: Sequence[tuple[str, Scores | str]], time_base: tuple[int, int]
) -> Whole:
    """The scores of all chunks in their order, each with its name; a text says why it has none."""
    missing: dict[str, str] = {}
    for name, scores in chunks:
        for method in methods:
            why = _lack(method, scores)
            if why is not None:
                missing.setdefault(method, f"{name}: {why}")
    kept = [method for method in methods if method not in missing]
    values = {method: array("d") for method in kept}
    times: array[float] = array("d")
    model: str | None = None
    high_range = False
    tick = Fraction(*time_base)
    for _, scores in chunks:
        if isinstance(scores, str) or not kept:
            continue
        times.extend(float(each * tick) for each in scores.ticks)
        model, high_range = scores.model or model, high_range or scores.high_range
        for method in kept:
            values[method].extend(scores.values[method])
    return Whole(Frames(times, times, values), model, high_range, missing)


def _lack(method: str, scores: Scores | str) -> str | None:
    if isinstance(scores, str):
        return scores
    return None if method in scores.values else scores.notes.get(method, "it was not measured")
