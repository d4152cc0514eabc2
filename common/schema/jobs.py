"""What is sent to queue jobs."""

from __future__ import annotations

import re

from marshmallow import ValidationError, fields, validate

from common import settings
from common.fields import (
    Bitrate,
    Input,
    Ladder,
    Matches,
    OneOf,
    Output,
    ShortList,
    ShortTuple,
    Split,
    StrictBoolean,
    StrictFloat,
    StrictInteger,
    StrictString,
    says,
)
from common.job_files import JOB_ID, PLACE
from common.ladder import MAX_RUNGS
from common.model import Confidence, Priority
from common.schema.base import (
    Strict,
    encoders_field,
    labels_field,
    text,
)

_ALL_PRESETS = list(dict.fromkeys(preset for codec in settings.CODECS.values() for preset in codec.presets))
"""In the order of their speed, as messages list them."""


QUALITY_METRICS = ("vmaf", "psnr", "ssim", "xpsnr")
RUNG = re.compile(r"(auto|[1-9][0-9]{1,3}p(:[0-9]{1,9}(\.[0-9]{1,3})?[kKmM]?)?)", re.ASCII)


def _choice(choices: tuple[str, ...], text: str) -> StrictString:
    return StrictString(validate=validate.OneOf(choices), **says(text))


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
        validate=[validate.Range(16, 7680), _even],
        **says("pixels, even, 16 to 7680; of an input the most", multipleOf=2),
    )
    height = StrictInteger(
        validate=[validate.Range(16, 4320), _even],
        **says("pixels, even, 16 to 4320; of an input the most", multipleOf=2),
    )
    fps = StrictFloat(
        validate=validate.Range(1, 240),
        **says("frames per second, 1 to 240; left out: of an input each frame, at its time"),
    )
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
    audio = _choice(
        ("none", "copy", "aac", "opus"),
        "`none`, `copy`, `aac` (not in webm) or `opus`; left out: none, but the sound of an input is kept",
    )
    audio_bitrate = Bitrate(
        **says("bits per second of a track with two channels, as `bitrate`; 128k if left out")
    )
    loudness = StrictFloat(
        validate=validate.Range(-70, -5), **says("LUFS that the sound is brought to (EBU R128), -70 to -5")
    )
    subtitles = _choice(("keep", "none"), "`keep` (if left out) or `none`")
    container = _choice(
        tuple(settings.CONTAINERS),
        "`mp4`, `mkv`, `webm`, `mpegts`, `hls` or `dash`; left out: the codec's usual one",
    )
    segment_seconds = StrictFloat(
        validate=validate.Range(1, 60),
        **says("how long the pieces of hls and dash are, 1 to 60; 6 if left out"),
    )
    overwrite = StrictBoolean(**says("true: what is at the output's place already is replaced"))
    output_mode = _choice(
        ("file", "rtmp", "srt"), "`file`, or a live stream: `rtmp`, `srt`; left out: as `output` says"
    )
    record = StrictBoolean(
        **says("true: an input that is a live stream is kept as it comes, and not encoded")
    )
    maxrate = Bitrate(
        **says("with `crf` or `target_vmaf`: bits per second that it takes at most, as `bitrate`")
    )
    two_pass = StrictBoolean(
        **says("true: with a bitrate, look first where the bits are needed; not with av1")
    )
    target_vmaf = StrictFloat(
        validate=validate.Range(20, 99.5),
        **says(
            "the VMAF that the CRF is searched for, 20 to 99.5, in place of `crf` and `bitrate` "
            "([quality.md](quality.md))"
        ),
    )
    quality = ShortTuple(
        StrictString(validate=validate.OneOf(QUALITY_METRICS)),
        most=len(QUALITY_METRICS),
        **says(
            "what is measured against the input ([quality.md](quality.md)): a list of "
            "`vmaf`, `psnr`, `ssim`, `xpsnr`"
        ),
    )
    energy = StrictBoolean(**says("true: measure the energy, alone on the node"))
    hwaccel = _choice(
        ("none", "auto", *settings.HARDWARE),
        "which hardware encodes ([hardware.md](hardware.md)): `none` (if left out), `auto` (what the node "
        "has), or one by name: " + ", ".join(f"`{name}`" for name in settings.HARDWARE),
    )
    content = _choice(
        ("test", "noise", "motion", "complex"),
        "what a picture that ffmpeg makes shows: `test` (if left out), `noise`, `motion`, `complex`",
    )
    deinterlace = _choice(
        ("auto", "yes", "no"), "`auto` (if left out: where the input says that it is interlaced), `yes`, `no`"
    )
    hdr = _choice(
        ("keep", "tonemap"), "a high dynamic range is kept (if left out), or mapped to the usual one"
    )
    ladder = Ladder(
        StrictString(
            validate=Matches(RUNG.pattern, "Must be a height and perhaps a bitrate, as 720p:3000k.")
        ),
        most=MAX_RUNGS,
        validate=validate.Length(min=1),
        **says(
            "the rungs of an HLS or DASH ladder, as `1080p:5000k` or `720p`; `auto`: what suits the input "
            "([ladder.md](ladder.md))"
        ),
    )
    split = Split(
        **says(
            "whether the file is encoded in chunks, by several nodes at once ([split.md](split.md)): "
            "`off` (if left out), `auto`, or about how many chunks, 2 to 500"
        )
    )
    pictures = StrictBoolean(**says("true: make a poster, thumbnails, and a sprite sheet with WebVTT"))


class ConstraintsSchema(Strict):
    """What a node must have to run the job."""

    labels = labels_field(load_default=dict, **says("names and values that it must carry"))
    encoders = encoders_field(load_default=list, **says("ffmpeg's names of what it must be able to use"))
    gpu = StrictBoolean(load_default=False, **says("true: it must have a GPU"))


# To make one takes longer than all else that is done with a job of a batch.
_CONSTRAINTS = ConstraintsSchema()

MAX_DEPENDENCIES = 1000
"""Jobs that one job may depend on."""


def _dependencies(pattern: str, message: str, what: str) -> ShortTuple:
    return ShortTuple(
        StrictString(validate=Matches(pattern, message)), most=MAX_DEPENDENCIES, load_default=(), **says(what)
    )


class SubmitSchema(Strict):
    """`POST /jobs`."""

    scenario = text(64, required=True, **says("a name of the catalogue; the only one needed"))
    input = Input(
        load_default=None,
        allow_none=True,
        **says(
            "what to encode: `media:ROOT/PATH`, `https://HOST/PATH`, `s3://BUCKET/KEY`, `file:SHA256` or "
            "`job:JOB_ID/PATH` ([inputs.md](inputs.md)), or a live stream ([streams.md](streams.md)); left "
            "out: a test picture"
        ),
    )
    output = Output(
        load_default=None,
        allow_none=True,
        **says(
            "where what it makes goes: `files` (the master's file store), `media:ROOT/PATH` "
            "([outputs.md](outputs.md)), or a live stream ([streams.md](streams.md)); left out: it stays "
            "on the node"
        ),
    )
    depends_on = _dependencies(
        JOB_ID.pattern,
        "Must be the whole id of a job.",
        "ids of jobs that must be completed before it begins ([chains.md](chains.md)), up to 1000",
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
        load_default=lambda: _CONSTRAINTS.load({}),
        **says(
            "what a node must have: `labels` (names and values), `encoders` (ffmpeg's names), `gpu` (true)"
        ),
    )


MAX_BATCH = 10_000
"""Jobs in one batch."""


class BatchJobSchema(SubmitSchema):
    """A job of a batch, which may depend on those before it."""

    depends_on = _dependencies(
        f"({JOB_ID.pattern}|{PLACE.pattern})",
        "Must be the whole id of a job, or #0, #1 … for a job of the same batch.",
        "as of `POST /jobs`; `#3` is the job at that place, counted from 0, which must come before",
    )


class BatchSchema(Strict):
    """`POST /jobs/batch`."""

    jobs = ShortList(
        fields.Nested(BatchJobSchema),
        most=MAX_BATCH,
        required=True,
        validate=validate.Length(min=1),
        **says("the jobs, each as `POST /jobs` takes it; needed"),
    )
