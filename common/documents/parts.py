"""The fields that answers are made of."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from common.fields import Matches, StrictBoolean, StrictFloat, StrictInteger, StrictString, says
from common.schema import is_scalar

_is_timestamp = Matches(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", "Must be a UTC time.")
is_not_negative = validate.Range(0)


def a_text(text: str = "", **kwargs: Any) -> StrictString:
    """A text."""
    return StrictString(required=True, **kwargs, **says(text))


def a_count(text: str = "", **kwargs: Any) -> StrictInteger:
    """A whole number from 0 on."""
    return StrictInteger(required=True, validate=is_not_negative, **kwargs, **says(text))


def a_number(text: str = "", **kwargs: Any) -> StrictFloat:
    """A number from 0 on."""
    return StrictFloat(required=True, validate=is_not_negative, **kwargs, **says(text))


def a_flag(text: str = "", **kwargs: Any) -> StrictBoolean:
    """True or false."""
    return StrictBoolean(required=True, **kwargs, **says(text))


def a_time(text: str, **kwargs: Any) -> StrictString:
    """A time in UTC, to the second."""
    return StrictString(required=True, validate=_is_timestamp, **kwargs, **says(text))


def texts(text: str, **kwargs: Any) -> fields.List[Any]:
    """A list of texts."""
    return fields.List(StrictString(), required=True, **kwargs, **says(text))


def many(schema: type[Schema], text: str = "") -> fields.List[Any]:
    """A list of documents."""
    return fields.List(fields.Nested(schema), required=True, **says(text))


def next_page() -> StrictString:
    """The cursor of the next page."""
    return a_text("ask for it as `after` to get the next page; null on the last", allow_none=True)


def scalars(text: str, **kwargs: Any) -> fields.Dict:
    """Numbers and texts by name."""
    value = fields.Raw(allow_none=True, validate=is_scalar)
    return fields.Dict(keys=StrictString(), values=value, required=True, **kwargs, **says(text))
