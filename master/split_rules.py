"""Which jobs can be encoded in chunks: what is refused when one is submitted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.model import Confidence
from common.settings import UnsuitableError
from common.split import asked
from common.streams import is_stream


def check_split(fields: Mapping[str, Any]) -> None:
    """`UnsuitableError` if the loaded `SubmitSchema` asks for a split where that can mean nothing."""
    parameters, input_, output = fields["parameters"], fields["input"], fields["output"]
    if asked(parameters) is None:
        return
    refused = {
        "there is no input to divide: a picture that ffmpeg makes is encoded whole": input_ is None,
        "a live stream is encoded as it comes, and cannot be divided": _is_live(parameters, input_, output),
        "a ladder is divided into its rungs, and these are encoded whole": bool(parameters.get("ladder")),
        "a speed that is measured (confidence) is that of one node, which encodes the whole": (
            fields["confidence"] is not Confidence.AUTO
        ),
        "energy that is measured alone on a node is that of one node, which encodes the whole": (
            parameters.get("energy") is True
        ),
        "hardware encoders of several nodes make chunks that do not go together; leave hwaccel out": (
            parameters.get("hwaccel", "none") != "none"
        ),
    }
    for why, applies in refused.items():
        if applies:
            raise UnsuitableError("split", why)


def _is_live(parameters: Mapping[str, Any], input_: str | None, output: str | None) -> bool:
    return (
        any(place is not None and is_stream(place) for place in (input_, output))
        or parameters.get("output_mode", "file") != "file"
        or parameters.get("record") is True
    )
