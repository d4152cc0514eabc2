"""What all schemas share: strictness, and the fields that several of them have."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, validate

from common.fields import (
    Matches,
    ShortDict,
    ShortList,
    StrictString,
)

is_id = Matches(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", "Must be up to 64 letters, digits and dashes.")


MAX_NUMBER = 2**53
"""No number is larger: every JSON parser reads those up to it exactly (RFC 8259, section 6)."""


def text(longest: int, **kwargs: Any) -> StrictString:
    """A field of 1 to `longest` characters."""
    return StrictString(validate=validate.Length(1, longest), **kwargs)


class Strict(Schema):
    """The base of all: unknown fields are refused."""

    class Meta:
        """marshmallow's settings."""

        unknown = RAISE


class NothingSchema(Strict):
    """Requests that say all in their address: no body, or an empty object."""


_is_name = Matches(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}", "A label's name is 1 to 63 letters, digits, and ._/-")


_is_value = Matches(
    r"([A-Za-z0-9][A-Za-z0-9._/-]{0,62})?", "A label's value is 0 to 63 letters, digits, and ._/-"
)


is_encoder = Matches(r"[a-z0-9][a-z0-9_-]{0,31}", "Must be the name of an ffmpeg encoder, such as libx264.")


def labels_field(**kwargs: Any) -> ShortDict:
    """A field of labels: names and values."""
    return ShortDict(
        most=64,
        keys=StrictString(validate=_is_name),
        values=StrictString(validate=_is_value),
        **kwargs,
    )


def encoders_field(**kwargs: Any) -> ShortList:
    """A field of ffmpeg's names of encoders."""
    return ShortList(StrictString(validate=is_encoder), most=64, **kwargs)


def flatten(errors: Any, prefix: str = "") -> list[dict[str, str]]:
    """marshmallow's nested messages as a list of `{"field", "message"}`."""
    if isinstance(errors, dict):
        # For dicts marshmallow puts a level of "key" and "value" between.
        return [
            item
            for key, value in errors.items()
            for item in flatten(
                value, prefix if key in ("_schema", "key", "value") else f"{prefix}.{key}".strip(".")
            )
        ]
    return [{"field": prefix or "body", "message": str(message)} for message in errors]
