"""What is sent to store files."""

from __future__ import annotations

from marshmallow import validate

from common.fields import Matches, StrictInteger, StrictString, says
from common.schema.base import MAX_NUMBER, Strict, is_id, text

is_sha256 = Matches(r"[0-9a-f]{64}", "Must be a SHA-256: 64 digits of 0-9 and a-f.")
_is_media_type = Matches(
    r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}",
    "Must be a media type, such as video/mp4.",
)


class FileSchema(Strict):
    """`POST /files`."""

    sha256 = StrictString(
        required=True, validate=is_sha256, **says("the SHA-256 of the file, in hexadecimal digits; needed")
    )
    size = StrictInteger(required=True, validate=validate.Range(0, MAX_NUMBER), **says("its bytes; needed"))
    name = text(255, load_default=None, allow_none=True, **says("what people call it"))
    media_type = StrictString(
        load_default=None,
        allow_none=True,
        validate=_is_media_type,
        **says("what it is, such as `video/mp4`; left out: unknown"),
    )
    job_id = StrictString(
        load_default=None,
        allow_none=True,
        validate=is_id,
        **says("the job that a node puts it for; nodes must say it"),
    )
