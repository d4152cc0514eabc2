"""What a matrix file says: marshmallow schemas, as strict as those of the API."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate

from common.fields import Bitrate, Input, OneOf, StrictInteger, StrictString
from common.model import Confidence, Priority
from common.scenarios import SCENARIOS
from common.schema import ConstraintsSchema, ParametersSchema, Strict
from common.settings import CODECS

MOST = 1000
"""Values of one axis."""
AXES = ("codec", "preset", "bitrate", "crf", "target_vmaf")
"""Parameters that the matrix has lists of."""


class Several(fields.List[Any]):
    """A list of values, or one value; none may occur twice."""

    def __init__(self, inner: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(inner, validate=validate.Length(1, MOST), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        found = super()._deserialize(value if isinstance(value, list) else [value], attr, data, **kwargs)
        for place, item in enumerate(found):
            if item in found[:place]:
                raise ValidationError({place: [f"{item!r} is listed twice."]})
        return found


class Preset(StrictString):
    """A preset. Those of vp9 and av1 are numbers, and may be written so."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        number = isinstance(value, int) and not isinstance(value, bool)
        return super()._deserialize(str(value) if number else value, attr, data, **kwargs)


def _parameter(name: str) -> fields.Field[Any]:
    field = ParametersSchema().fields[name]
    return type(field)(validate=field.validate) if not isinstance(field, Bitrate) else Bitrate()


class RatesSchema(Strict):
    """How an encode may be told how many bits to take: each value is an encode of its own."""

    presets = Several(Preset(validate=ParametersSchema().fields["preset"].validate))
    bitrates = Several(Bitrate())
    crf = Several(_parameter("crf"))
    target_vmaf = Several(_parameter("target_vmaf"))


class OfCodecSchema(RatesSchema):
    """What one codec has of its own, in place of what is said for all."""

    parameters = fields.Nested(ParametersSchema(exclude=AXES), load_default=dict)


class Codecs(fields.Field[Any]):
    """A list of codecs, or a mapping from each to what it has of its own."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        named = value if isinstance(value, dict) else dict.fromkeys(_texts(value), None)
        unknown = next((name for name in named if name not in CODECS), None)
        if unknown is not None:
            raise ValidationError({unknown: [f"Must be one of: {', '.join(CODECS)}."]})
        if not named:
            raise ValidationError("Must not be empty.")
        found, wrong = {}, {}
        for name, own in named.items():
            try:
                found[name] = OfCodecSchema().load({} if own is None else own)
            except ValidationError as error:
                wrong[name] = error.messages
        if wrong:
            raise ValidationError(wrong)
        return found


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    for place, item in enumerate(listed):
        if not isinstance(item, str):
            raise ValidationError({place: ["Must be the name of a codec."]})
        if item in listed[:place]:
            raise ValidationError({place: [f"{item!r} is listed twice."]})
    return listed


class ExcludeSchema(Strict):
    """Combinations that are left out: those that have one of the values of each axis that is named."""

    scenario = Several(StrictString())
    input = Several(StrictString())
    codec = Several(StrictString(validate=validate.OneOf(list(CODECS))))
    preset = Several(Preset())
    bitrate = Several(Bitrate())
    crf = Several(_parameter("crf"))
    target_vmaf = Several(_parameter("target_vmaf"))


class MatrixSchema(RatesSchema):
    """The whole file."""

    name = StrictString(validate=validate.Length(1, 100), load_default="")
    scenarios = Several(
        StrictString(validate=validate.OneOf(list(SCENARIOS), error="There is no such scenario.")),
        required=True,
    )
    inputs = Several(Input(), load_default=lambda: [None])
    codecs = Codecs(load_default=None)
    quality = ParametersSchema().fields["quality"]
    confidence = OneOf(Confidence, load_default=Confidence.AUTO)
    repeat = StrictInteger(validate=validate.Range(1, MOST), load_default=1)
    parameters = fields.Nested(ParametersSchema(exclude=(*AXES, "quality")), load_default=dict)
    output = StrictString(validate=validate.Equal("files", error="Must be files, or left out."))
    priority = OneOf(Priority, load_default=Priority.MEDIUM)
    constraints = fields.Nested(ConstraintsSchema, load_default=None)
    excluded = fields.List(
        fields.Nested(ExcludeSchema),
        load_default=list,
        validate=validate.Length(max=MOST),
        data_key="exclude",
    )
