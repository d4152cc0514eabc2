"""What is sent to queue jobs."""

from __future__ import annotations

from marshmallow import ValidationError, fields, validate

from common import settings
from common.fields import (
    Bitrate,
    Input,
    OneOf,
    ShortList,
    StrictBoolean,
    StrictFloat,
    StrictInteger,
    StrictString,
    says,
)
from common.model import Confidence, Priority
from common.schema.base import (
    Strict,
    encoders_field,
    labels_field,
    text,
)

_ALL_PRESETS = sorted({preset for codec in settings.CODECS.values() for preset in codec.presets})


def _even(value: int) -> None:
    if value % 2:
        raise ValidationError("Must be even.")


class ParametersSchema(Strict):
    """The allow-list of job parameters; `common.settings.resolve` checks how they go together."""

    duration = StrictFloat(
        validate=validate.Range(0.01, 86_400),
        **says(
            "seconds of video, 0.01 to 86,400; of an input at most what it has, and all of it if left out"
        ),
    )
    bitrate = Bitrate(
        **says('bits per second, 10k to 500M: `"5000k"`, `"2.5M"` or a number; not together with `crf`')
    )
    preset = StrictString(validate=validate.OneOf(_ALL_PRESETS), **says("one of the codec's presets"))
    crf = StrictFloat(
        validate=validate.Range(0, 63), **says("constant quality, 0 to 51, for vp9 and av1 to 63")
    )
    width = StrictInteger(
        validate=[validate.Range(16, 7680), _even], **says("pixels, even, 16 to 7680", multipleOf=2)
    )
    height = StrictInteger(
        validate=[validate.Range(16, 4320), _even], **says("pixels, even, 16 to 4320", multipleOf=2)
    )
    fps = StrictFloat(validate=validate.Range(1, 240), **says("frames per second, 1 to 240"))
    codec = StrictString(
        validate=validate.OneOf(list(settings.CODECS)), **says("`h264`, `h265`, `vp9` or `av1`")
    )
    threads = StrictInteger(validate=validate.Range(1, 256), **says("1 to 256"))
    gop = StrictInteger(
        validate=validate.Range(1, 100_000), **says("frames between key frames at most, 1 to 100,000")
    )
    pixel_format = StrictString(
        validate=validate.OneOf(
            sorted({f for codec in settings.CODECS.values() for f in codec.pixel_formats})
        ),
        **says("`yuv420p`, `yuv420p10le`, and for h264 and h265 `yuv422p`, `yuv444p`"),
    )
    audio = StrictString(
        validate=validate.OneOf(["none", "aac", "opus"]),
        **says("`none`, `aac` (not in vp9) or `opus`; left out: none, but the sound of an input is kept"),
    )


class ConstraintsSchema(Strict):
    """What a node must have to run the job."""

    labels = labels_field(load_default=dict, **says("names and values that it must carry"))
    encoders = encoders_field(load_default=list, **says("ffmpeg's names of what it must be able to use"))
    gpu = StrictBoolean(load_default=False, **says("true: it must have a GPU"))


class SubmitSchema(Strict):
    """`POST /jobs`."""

    scenario = text(64, required=True, **says("a name of the catalogue; the only one needed"))
    input = Input(
        load_default=None,
        allow_none=True,
        **says(
            "what to encode: `media:ROOT/PATH` or `https://HOST/PATH` ([inputs.md](inputs.md)); "
            "left out: a test picture"
        ),
    )
    confidence = OneOf(
        Confidence,
        load_default=Confidence.AUTO,
        **says("how sure the measurement must be: `auto` (if left out), `low`, `medium`, `high`"),
    )
    # As sent: which ones were given matters, and the defaults are the scenario's.
    parameters = fields.Nested(ParametersSchema, load_default=dict, **says("what differs from the scenario"))
    priority = OneOf(
        Priority, load_default=Priority.MEDIUM, **says("`high`, `medium` (if left out) or `low`")
    )
    constraints = fields.Nested(
        ConstraintsSchema,
        load_default=lambda: ConstraintsSchema().load({}),
        **says(
            "what a node must have: `labels` (names and values), `encoders` (ffmpeg's names), `gpu` (true)"
        ),
    )


MAX_BATCH = 10_000
"""Jobs in one batch."""


class BatchSchema(Strict):
    """`POST /jobs/batch`."""

    jobs = ShortList(
        fields.Nested(SubmitSchema),
        most=MAX_BATCH,
        required=True,
        validate=validate.Length(min=1),
        **says("the jobs, each as `POST /jobs` takes it; needed"),
    )
