"""How an input can be divided, as agents report it; and the frames of a chunk, as they are told of them."""

from __future__ import annotations

import json
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from common.fields import Matches, ShortList, StrictBoolean, StrictFloat, StrictInteger, StrictString, says
from common.model import MOST_CUTS, Cut, Divisible, Window
from common.schema.base import MAX_NUMBER, Strict, text

MAX_FRAMES = 100_000_000
"""Frames of a file: some weeks of video."""
MAX_SOURCE = 65_536
"""Characters of what is known of the whole input."""
_is_frame = validate.Range(0, MAX_FRAMES)
_is_tick = validate.Range(0, MAX_NUMBER)
_is_file = Matches(r"file:[0-9a-f]{64}", "Must be file: and 64 hexadecimal digits, in small letters.")


def _pair(what: str, first: validate.Validator = _is_frame, **kwargs: Any) -> fields.Tuple:
    return fields.Tuple(
        (StrictInteger(validate=first), StrictInteger(validate=_is_tick)),
        required=True,
        **kwargs,
        **says(what),
    )


def _time_base(**kwargs: Any) -> fields.Tuple:
    number = validate.Range(1, 2**31 - 1)
    return fields.Tuple(
        (StrictInteger(validate=number), StrictInteger(validate=number)),
        **kwargs,
        **says("numerator and denominator of a tick's length in seconds"),
    )


class CutSchema(Strict):
    """A frame that a chunk may begin with."""

    frame = StrictInteger(required=True, validate=_is_frame, **says("which frame of the output, from 0"))
    tick = StrictInteger(required=True, validate=_is_tick, **says("when it begins"))
    lead = _pair("the frame, and its tick, from which an encoder is warmed up before it")
    seek = StrictFloat(
        required=True, validate=_is_tick, **says("seconds: where in the input decoding begins at the latest")
    )
    scene = StrictFloat(
        load_default=0.0,
        validate=validate.Range(0, 1),
        **says("how little a seam is seen there, 0 to 1; 1: another scene begins"),
    )
    work = StrictInteger(
        load_default=0, validate=_is_tick, **says("bytes of the input's picture up to the next cut")
    )


class DivisibleSchema(Strict):
    """What a node says of an input that is to be encoded in chunks."""

    reason = text(
        1000,
        required=True,
        allow_none=True,
        **says("why it must be encoded whole, as a sentence; null: it can be divided"),
    )
    frames = StrictInteger(load_default=0, validate=_is_frame, **says("frames of the output"))
    end = StrictInteger(load_default=0, validate=_is_tick, **says("the tick at which the last of them ends"))
    time_base = _time_base(load_default=(1, 1))
    cuts = ShortList(
        fields.Nested(CutSchema),
        most=MOST_CUTS,
        load_default=list,
        **says("frames that a chunk may begin with, in their order; the first is frame 0"),
    )
    source = StrictString(
        load_default="",
        validate=validate.Length(0, MAX_SOURCE),
        **says("what is known of the whole input: JSON, for agents"),
    )
    input = StrictString(
        load_default=None,
        allow_none=True,
        validate=_is_file,
        **says("`file:SHA256`, where it was put for other nodes; null: it is where the job says"),
    )
    others = StrictBoolean(load_default=True, **says("whether there is anything but the picture"))

    @validates_schema
    def _does_not_contradict_itself(self, data: dict[str, Any], **_: Any) -> None:
        if data["reason"] is not None:
            if data["cuts"]:
                raise ValidationError("Must be empty where there is a reason.", "cuts")
            return
        if not data["cuts"] or not data["frames"]:
            raise ValidationError("Must have cuts and frames, or a reason.", "cuts")
        if data["source"]:
            _is_object(data["source"])
        _check_cuts(data)

    @post_load
    def _divisible(self, data: dict[str, Any], **_: Any) -> Divisible:
        return Divisible(**{**data, "cuts": tuple(Cut(**cut) for cut in data["cuts"])})


def _is_object(source: str) -> None:
    try:
        known = json.loads(source)
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, dict):
        raise ValidationError("Must be a JSON object.", "source")


def _check_cuts(data: dict[str, Any]) -> None:
    """ValidationError unless frames and ticks go up together, within the file."""
    frames, end = data["frames"], data["end"]
    before: dict[str, Any] = {"frame": -1, "tick": -1, "seek": 0.0, "lead": (0, 0)}
    for place, cut in enumerate(data["cuts"]):
        here = (cut["frame"], cut["tick"])
        wrong = None
        if place == 0 and cut["frame"] != 0:
            wrong = "The first cut must be frame 0."
        elif cut["frame"] <= before["frame"] or cut["tick"] <= before["tick"]:
            wrong = "Frames and ticks must go up from cut to cut."
        elif cut["frame"] >= frames or cut["tick"] >= end:
            wrong = "A cut must be within the file."
        elif not _before(cut["lead"], here):
            wrong = "A cut's lead must be before it."
        elif cut["seek"] < before["seek"] or cut["lead"] < before["lead"]:
            wrong = "Leads and where decoding begins must not go back from cut to cut."
        if wrong is not None:
            raise ValidationError({"cuts": {place: [wrong]}})
        before = cut


def _before(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether a frame and its tick are before another's, or the same as it."""
    return one == other or (one[0] < other[0] and one[1] < other[1])


class WindowSchema(Strict):
    """The frames of one chunk: from `first` to before `end`; its encoder sees those from `lead` on."""

    first = StrictInteger(required=True, validate=_is_frame)
    end = StrictInteger(required=True, validate=_is_frame)
    lead = StrictInteger(required=True, validate=_is_frame)
    ticks = fields.Tuple(
        tuple(StrictInteger(validate=_is_tick) for _ in range(3)),
        required=True,
        **says("when `first`, `end` and `lead` begin"),
    )
    time_base = _time_base(required=True)
    seek = StrictFloat(
        required=True, validate=_is_tick, **says("seconds: where in the input decoding begins at the latest")
    )
    work = StrictInteger(
        load_default=0, validate=validate.Range(0), **says("bytes of the input's picture in it")
    )

    @post_load
    def _window(self, data: dict[str, Any], **_: Any) -> Window:
        return Window(**data)
