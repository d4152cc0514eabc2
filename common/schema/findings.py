"""What came to light beyond single numbers, as agents report it and results have it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from common.fields import (
    Matches,
    OneOf,
    ShortList,
    StrictBoolean,
    StrictFloat,
    StrictInteger,
    StrictString,
    says,
)
from common.inputs import MAX_PLACE
from common.model import Artifact, ArtifactKind, CrfProbe, Findings, Repeat
from common.schema.base import MAX_NUMBER, Strict, text
from common.schema.split import DivisibleSchema

MAX_ARTIFACTS = 2000
_is_amount = validate.Range(0, MAX_NUMBER)
_is_sha256 = Matches(r"[0-9a-f]{64}", "Must be 64 hexadecimal digits, in small letters.")
_is_media_type = Matches(r"[a-z]{1,32}/[a-z0-9.+-]{1,96}", "Must be a media type, such as video/mp4.")


class ArtifactSchema(Strict):
    """A file that a job produced."""

    path = text(1024, required=True, **says("its name below the job's output"))
    kind = OneOf(ArtifactKind, required=True, **says("what it is for"))
    media_type = StrictString(required=True, validate=_is_media_type, **says("such as `video/mp4`"))
    size = StrictInteger(required=True, validate=_is_amount, **says("bytes"))
    sha256 = StrictString(required=True, validate=_is_sha256, **says("of its content"))
    location = text(
        MAX_PLACE,
        load_default=None,
        allow_none=True,
        **says("where it can be had: `file:SHA256`, `media:ROOT/PATH`; null: it is on the node alone"),
    )


def _amount(what: str, **kwargs: Any) -> StrictFloat:
    return StrictFloat(validate=_is_amount, **kwargs, **says(what))


class RepeatSchema(Strict):
    """One encode of those that `confidence` asked for. Unknown is null."""

    speed = _amount("seconds of video encoded per second", required=True, allow_none=True)
    wall_seconds = _amount("seconds", required=True, allow_none=True)
    cpu_seconds = _amount("seconds", required=True, allow_none=True)
    energy_joules = _amount("joules", load_default=None, allow_none=True)


class CrfProbeSchema(Strict):
    """One measurement of the search for the CRF that gives `target_vmaf`."""

    crf = _amount("what was tried", required=True)
    vmaf = _amount("what came of it: the mean", required=True)
    bitrate = _amount("bits per second", required=True, allow_none=True)
    whole = StrictBoolean(
        required=True, **says("whether it was an encode of the whole output; else samples were")
    )


class FindingsSchema(Strict):
    """All of that."""

    artifacts = ShortList(
        fields.Nested(ArtifactSchema), most=MAX_ARTIFACTS, load_default=list, **says("the files that it made")
    )
    repeats = ShortList(
        fields.Nested(RepeatSchema),
        most=100,
        load_default=list,
        **says("each encode, where `confidence` asked for more than one"),
    )
    probes = ShortList(
        fields.Nested(CrfProbeSchema),
        most=100,
        load_default=list,
        **says("what was measured to find the CRF for `target_vmaf`"),
    )
    warnings = ShortList(
        text(1000),
        most=100,
        load_default=list,
        **says("what was not as it should be, and what was made of it"),
    )
    divisible = fields.Nested(
        DivisibleSchema,
        load_default=None,
        allow_none=True,
        **says("of a job that is to be encoded in chunks: where its input can be cut ([split.md](split.md))"),
    )

    @post_load
    def _findings(self, data: dict[str, Any], **_: Any) -> Findings:
        return Findings(
            artifacts=tuple(Artifact(**item) for item in data["artifacts"]),
            repeats=tuple(Repeat(**item) for item in data["repeats"]),
            probes=tuple(CrfProbe(**item) for item in data["probes"]),
            warnings=tuple(data["warnings"]),
            divisible=data["divisible"],
        )
