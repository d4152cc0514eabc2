"""What a person types of a job, as the API takes it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from typing import Any

import click

_BOOLEANS = {"true": True, "false": False}


def pair(text: str) -> tuple[str, str]:
    """The two sides of `NAME=VALUE`; a usage error if it has not two."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.BadParameter(f"{text!r} is not NAME=VALUE")
    return name, value


def parameters(texts: Iterable[str]) -> dict[str, Any]:
    """The parameters that are written as `NAME=VALUE`."""
    return {name: _value(name, text) for name, text in map(pair, texts)}


def _value(name: str, text: str) -> Any:
    """A number where the parameter is one: `duration=60`, but `preset=8` is a name."""
    from common.fields import (
        ShortTuple,
        Split,
        StrictBoolean,
        StrictFloat,
        StrictInteger,
    )  # a job without any
    from common.schema import ParametersSchema  # needs none of these

    field = ParametersSchema().fields.get(name)
    if isinstance(field, StrictBoolean):
        return _BOOLEANS.get(text, text)
    if isinstance(field, ShortTuple):
        return text.split(",")
    if not isinstance(field, StrictInteger | StrictFloat | Split):
        return text
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            value = kind(text)
            if math.isfinite(value):
                return value
    return text  # the master says what is wrong with it
