"""What a live stream allows of the settings: pure, used on both sides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from common.model import Value
from common.scenarios import Scenario
from common.settings.encode import EncodeSettings
from common.settings.errors import UnsuitableError
from common.settings.named import with_named_container
from common.settings.resolve import resolve
from common.source import Source
from common.streams import SrtStream, Stream, is_stream, parse_stream

CODECS_OF = {"rtmp": ("h264",), "srt": ("h264", "h265")}
"""What servers and players of each are known to take. Enhanced RTMP has more, but servers without it pass
on such a stream's sound alone, and say nothing."""
_OF_FILES = (
    *("container", "segment_seconds", "overwrite", "record", "ladder", "pictures", "split"),
    *("crf", "target_vmaf", "maxrate", "two_pass", "quality", "energy"),
)
_AUDIO = ("none", "aac")


def resolve_job(
    scenario: Scenario,
    parameters: Mapping[str, Value],
    input_: str | None = None,
    output: str | None = None,
    source: Source | None = None,
    usable: Collection[str] = (),
) -> EncodeSettings:
    """The exact encode of a job, be it a file or a live stream. `UnsuitableError`, as of `resolve`."""
    if input_ is not None and is_stream(input_) and "duration" not in parameters:
        raise UnsuitableError("duration", "a live stream has no end of its own; say how long to record it")
    if parameters.get("record") and not (input_ is not None and is_stream(input_)):
        raise UnsuitableError("record", "only a live stream is recorded; name one as input")
    if output is None or not is_stream(output):
        if parameters.get("output_mode", "file") != "file":
            raise UnsuitableError("output_mode", "name the stream's server as output: rtmp://HOST/APP/KEY")
        return resolve(scenario, with_named_container(parameters, output), source, usable)
    codec = parameters.get("codec", scenario.codec)
    return resolve(scenario, live_parameters(parse_stream(output), parameters, str(codec)), source, usable)


def mode_of(stream: Stream) -> str:
    """The `output_mode` that a stream is."""
    return "srt" if isinstance(stream, SrtStream) else "rtmp"


def live_parameters(stream: Stream, parameters: Mapping[str, Value], codec: str) -> dict[str, Any]:
    """The parameters that `resolve` is to be handed for a stream of `codec`. `UnsuitableError`."""
    mode = mode_of(stream)
    if parameters.get("output_mode", mode) != mode:
        raise UnsuitableError("output_mode", f"the output is a stream of {mode}")
    for name in _OF_FILES:
        if parameters.get(name) not in (None, False, "none", "off", ()):
            raise UnsuitableError(name, f"{name} does not go with a live stream, which holds a bitrate")
    if codec not in CODECS_OF[mode]:
        raise UnsuitableError(
            "codec", f"a stream of {mode} takes {' or '.join(CODECS_OF[mode])}, not {codec}"
        )
    if parameters.get("audio", "aac") not in _AUDIO:
        raise UnsuitableError("audio", "the sound of a live stream is aac or none")
    # As MPEG-TS, which takes the same codecs and the same sound.
    return {**parameters, "container": "mpegts"}
